/* SPDX-License-Identifier: MIT */
/* swap_children.c - starts children while a range is migrated, and hears what they have seen. */
#include "swap_children.h"

int contents_as_seen(const struct load *load)
{
	size_t half = load_half(load);

	if (wrong_words(load->area.start + half, half, LOAD_SEED) != 0)
		return 1;
	return lost_words(load->area.start, half, LOAD_SEED) != 0 ? 2 : 0;
}

void children_meanwhile(struct load *load, const char *test, pid_t (*start)(void))
{
	struct writers writers = {.threads = 2, .count = COUNT / 2};
	unsigned int children = 0;
	struct box box;
	int rc = 0;

	watchdog_start(test);
	load_new(load, COUNT);
	writers.start = load->area.start;
	writers_start(&writers);
	load_start(load);
	box_start(&box, "the children");
	while (rc == 0 && box_open(&box)) {
		pid_t pid = start();

		rc = pid < 0 ? -1 : await_child(pid);
		children++;
		load_refill(load);
	}
	pulse_end(box.pulse);
	load_join(load);
	writers_end(&writers);
	load_end(load);
	ck_assert_msg(rc == 0, "child %u ended with %d", children, rc);
	ck_assert_uint_ge(children, 4);
	watchdog_stop();
	load_free(load);
}
