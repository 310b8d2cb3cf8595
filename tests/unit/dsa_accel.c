/* SPDX-License-Identifier: MIT */
/* dsa_accel.c - the calls of libaccel-config are declared as its header has them. */
#include "dsa/accel_calls.h"

#include "unit.h"

#if __has_include(<accel-config/libaccel_config.h>)
#include <accel-config/libaccel_config.h>

#define SAME(type, name, args)                                                            \
	_Static_assert(__builtin_types_compatible_p(type args, __typeof__(accfg_##name)), \
		       "accfg_" #name " is declared otherwise");
BM_ACCEL_CALLS(SAME)

START_TEST(as_in_the_header)
{
	ck_assert_int_eq(BM_ACCEL_DEVICE_DISABLED, ACCFG_DEVICE_DISABLED);
	ck_assert_int_eq(BM_ACCEL_DEVICE_ENABLED, ACCFG_DEVICE_ENABLED);
	ck_assert_int_eq(BM_ACCEL_WQ_DISABLED, ACCFG_WQ_DISABLED);
	ck_assert_int_eq(BM_ACCEL_WQ_ENABLED, ACCFG_WQ_ENABLED);
	ck_assert_uint_eq(BM_ACCEL_TYPES, ACCFG_WQT_USER + 1u);
	ck_assert_int_eq(ACCFG_WQT_NONE, 0);
	ck_assert_int_eq(ACCFG_WQT_KERNEL, 1);
	ck_assert_uint_eq(BM_ACCEL_SHARED, ACCFG_WQ_SHARED);
	ck_assert_uint_eq(BM_ACCEL_DEDICATED, ACCFG_WQ_DEDICATED);
}
END_TEST
#else
START_TEST(as_in_the_header)
{
	skip_test("the header of libaccel-config is not installed (libaccel-config-dev)");
}
END_TEST
#endif

static const TTest *const *const tests[] = {&as_in_the_header, NULL};
const struct report_group dsa_accel_group = {"dsa_accel", tests};
