# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # what the script sets: command
# The configurations in docs/, loaded by accel-config into a device that is made
# of files. Sourced by discovery, which sets these:
: "${here:?}" "${work:?}" "${newer:?}" "${devices:?}"

# What the files to be loaded set, in this order of the names of the files.
settings='block_on_fault=0 driver_name=user group_id=0 max_batch_size=32 max_transfer_size=2097152'
config_sets() { # NAME CONFIG MODE SIZE
	local file at=$devices/dsa2/wq2.0 is=''
	tree_new
	idle_device 2
	# As batchmig-dsa(7) says for the devices beside dsa0.
	sed 's/dsa0/dsa2/; s/\(group\|wq\|engine\)0\./\12./' "$here/../../docs/$2" >"$work/conf"
	"${command[@]:0:3}" "$newer/accel-config" load-config -c "$work/conf" >"$work/out" 2>&1
	status=$?
	for file in block_on_fault driver_name group_id max_batch_size max_transfer_size mode size type; do
		is="$is$file=$(cat "$at/$file") "
	done
	if [ $status -eq 0 ] && [ "$is" = "$settings mode=$3 size=$4 type=user " ] &&
		[ "$(cat $devices/dsa2/engine2.*/group_id | tr '\n' ' ')" = '0 0 0 0 ' ] &&
		[ "$(cat "$at/threshold")" -lt "$4" ]; then
		ok "config/$1"
	else
		not_ok "config/$1" "status $status: $is"
	fi
}

test_config() {
	mount -t tmpfs none /sys/module && mkdir /sys/module/idxd
	config_sets shared batchmig-dsa.conf shared 128
	config_sets dedicated batchmig-dsa-dedicated.conf dedicated 32
	umount /sys/module
}
