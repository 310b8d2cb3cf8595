/* SPDX-License-Identifier: MIT */
/* choice_scene.c - which pages move in a scene, and the arrays that name them. */
#include "choice.h"

#include <stdio.h>
#include <stdlib.h>

#define LASTING 4096 /* entries of a round: smaller batches are several */

const struct shape shapes[] = {
	{"base", "base pages, frames in order", FRAMES_IN_ORDER, 1, 0},
	{"every 2nd", "every second base page", FRAMES_IN_ORDER, 2, 0},
	{"every 8th", "every 8th base page", FRAMES_IN_ORDER, 8, 0},
	{"huge", "huge pages, one entry each", FRAMES_HUGE, 0, 0},
	{"huge named", "huge pages, every base page named", FRAMES_HUGE, 1, 0},
	{"64 pages", "batches of 64 base pages", FRAMES_IN_ORDER, 1, 64},
	{"256 pages", "batches of 256 base pages", FRAMES_IN_ORDER, 1, 256},
	{"1024 pages", "batches of 1024 base pages", FRAMES_IN_ORDER, 1, 1024},
};
const int shape_count = sizeof(shapes) / sizeof(shapes[0]);

const char *scene_name(const struct shape *shape, int cold, char *text, size_t size)
{
	snprintf(text, size, "%s, %s", shape->name, cold ? "cold" : "warm");
	return text;
}

static void *array(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("memory for the arrays");
	return memory;
}

static void name_pages(struct scene *scene, size_t step)
{
	const struct setup *setup = &scene->choice->setup;
	size_t all = scene->region.length / step;

	scene->count = scene->shape->count ? scene->shape->count : all;
	scene->repeats = scene->count < LASTING ? LASTING / scene->count : 1;
	if (scene->repeats > REPEATS_MAX)
		scene->repeats = REPEATS_MAX;
	if (scene->repeats * scene->count > all)
		scene->repeats = all / scene->count;
	scene->pages = array(scene->count * scene->repeats, sizeof(scene->pages[0]));
	for (size_t i = 0; i < scene->count * scene->repeats; i++)
		scene->pages[i] = scene->region.start + i * step;
	scene->status = array(scene->count, sizeof(scene->status[0]));
	for (int far = 0; far < 2; far++) {
		scene->nodes[far] = array(scene->count, sizeof(int));
		for (size_t i = 0; i < scene->count; i++)
			scene->nodes[far][i] = far ? setup->far : setup->near;
	}
}

/* Huge pages: twice as much memory. */
void scene_open(struct scene *scene, const struct choice *choice, const struct shape *shape,
		int cold)
{
	const struct setup *setup = &choice->setup;
	size_t bytes = setup->mb << 20;

	*scene = (struct scene){.choice = choice, .shape = shape, .cold = cold};
	region_new(&scene->region, setup, shape->frames,
		   shape->frames == FRAMES_HUGE ? 2 * bytes : bytes, setup->near);
	name_pages(scene, shape->stride ? shape->stride * setup->page_size : setup->huge_size);
}

void scene_close(struct scene *scene)
{
	region_check(&scene->region, scene->shape->what);
	free(scene->pages);
	free(scene->nodes[0]);
	free(scene->nodes[1]);
	free(scene->status);
	region_free(&scene->region);
}
