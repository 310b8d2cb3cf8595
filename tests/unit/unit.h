/* SPDX-License-Identifier: MIT */
/* unit.h - the groups of tests, one for each file. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include "../report.h"

/* clang-format off */
#define UNIT_GROUPS(GROUP) \
	GROUP(plan) GROUP(options) GROUP(registry) GROUP(small) GROUP(files) GROUP(context) \
	GROUP(pages) GROUP(trouble) GROUP(range) GROUP(question) GROUP(info) GROUP(input) \
	GROUP(policy) GROUP(folios) GROUP(faults) GROUP(missed) GROUP(fuzz) GROUP(cpu) \
	GROUP(cpu_loops) GROUP(cpu_used) GROUP(segments) GROUP(copy) GROUP(rates) \
	GROUP(swap_faults) GROUP(placement) GROUP(spread) GROUP(merged) GROUP(swap_broken) \
	GROUP(swap_script) GROUP(swap_workers) GROUP(swap_returns) GROUP(threads) \
	GROUP(swap_own) GROUP(swap_refill) GROUP(swap_children) GROUP(turns) GROUP(queue) \
	GROUP(pace) GROUP(reports) GROUP(told) GROUP(profile) GROUP(swap_flights) \
	GROUP(flight_faults) GROUP(estimate_faults) GROUP(profile_faults) GROUP(swap_measured) \
	GROUP(pace_faults) GROUP(exit_faults) GROUP(event) GROUP(engines) GROUP(swap_silent) \
	GROUP(pins) GROUP(model_dsa) GROUP(model_dsa_checks) GROUP(model_dsa_batch) \
	GROUP(model_dsa_knobs) GROUP(model_dsa_memory) GROUP(model_dsa_write) \
	GROUP(model_dsa_sys) GROUP(model_dsa_trap) GROUP(dsa_named) GROUP(dsa_accel) \
	GROUP(dsa_usual) GROUP(model_dsa_order) GROUP(dsa_knobs) GROUP(dsa_records) \
	GROUP(dsa_settle) GROUP(dsa_open) GROUP(conformance) GROUP(conformance_opens) \
	GROUP(conformance_copies) GROUP(conformance_turns) GROUP(conformance_threads) \
	GROUP(conformance_faults) GROUP(copy_ends) GROUP(zones) GROUP(conformance_pins) \
	GROUP(model_ptdma) GROUP(model_ptdma_ae4) GROUP(model_ptdma_ae4_knobs) \
	GROUP(model_ptdma_errors) GROUP(model_ptdma_files) GROUP(model_ptdma_knobs) \
	GROUP(model_ptdma_registers) GROUP(model_ptdma_uio) GROUP(model_ptdma_vfio) \
	GROUP(options_devices) GROUP(pci_find) GROUP(pci_held) GROUP(pci_model) GROUP(pci_open) \
	GROUP(pci_pins) GROUP(pci_refused) GROUP(ptdma_errors) GROUP(ptdma_gone) \
	GROUP(ptdma_knobs) GROUP(ptdma_open) GROUP(ptdma_rings) GROUP(ptdma_sizes) \
	GROUP(ptdma_unsure) GROUP(ptdma_waits) GROUP(swap_ptdma) GROUP(swap_copying) \
	GROUP(swap_touched)
/* clang-format on */

#define UNIT_DECLARE(name) extern const struct report_group name##_group;
UNIT_GROUPS(UNIT_DECLARE)

#endif
