/* SPDX-License-Identifier: MIT */
/* main.c - all unit tests in one process. */
#include "unit.h"

/* Of software devices. */
#define MODEL_GROUPS                                                                           \
	model_dsa_group, model_dsa_checks_group, model_dsa_batch_group, model_dsa_knobs_group, \
		model_dsa_memory_group, model_dsa_write_group, model_dsa_sys_group,            \
		model_dsa_trap_group

/* Of the backend dsa on one of them. */
#define DSA_GROUPS dsa_usual_group, dsa_knobs_group, dsa_settle_group, dsa_records_group

int main(int argc, char **argv)
{
	const struct report_group groups[] = {plan_group,
					      options_group,
					      registry_group,
					      small_group,
					      files_group,
					      context_group,
					      pages_group,
					      trouble_group,
					      range_group,
					      question_group,
					      info_group,
					      input_group,
					      policy_group,
					      folios_group,
					      faults_group,
					      missed_group,
					      fuzz_group,
					      cpu_group,
					      cpu_loops_group,
					      cpu_used_group,
					      segments_group,
					      copy_group,
					      rates_group,
					      swap_faults_group,
					      placement_group,
					      spread_group,
					      merged_group,
					      swap_broken_group,
					      swap_script_group,
					      swap_workers_group,
					      swap_returns_group,
					      threads_group,
					      swap_own_group,
					      swap_refill_group,
					      swap_children_group,
					      turns_group,
					      pace_group,
					      reports_group,
					      told_group,
					      profile_group,
					      swap_flights_group,
					      flight_faults_group,
					      estimate_faults_group,
					      profile_faults_group,
					      swap_measured_group,
					      pace_faults_group,
					      exit_faults_group,
					      event_group,
					      engines_group,
					      swap_silent_group,
					      model_dsa_group,
					      model_dsa_checks_group,
					      model_dsa_batch_group,
					      model_dsa_knobs_group,
					      model_dsa_memory_group,
					      model_dsa_write_group,
					      model_dsa_sys_group,
					      model_dsa_trap_group,
					      dsa_named_group,
					      dsa_accel_group,
					      dsa_usual_group};

	return report_run(groups, sizeof(groups) / sizeof(groups[0]), argc, argv);
}
