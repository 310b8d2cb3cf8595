# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A machine with DSA as its files show it: sysfs and /dev/dsa, in a mount
# namespace of our own. Formats are those of Linux 6.12.
bus=/sys/bus/dsa
devices=$bus/devices

# Once: nothing of this is seen outside.
tree_mounts() { # SCRATCH
	local node
	mount -t tmpfs -o mode=755 none /sys/bus && mkdir "$1/dev" &&
		mount -t tmpfs -o mode=755 none "$1/dev" || return
	for node in null zero full urandom tty; do
		touch "$1/dev/$node" && mount --bind "/dev/$node" "$1/dev/$node"
	done
	mount --rbind "$1/dev" /dev
}

tree_new() {
	rm -rf $bus /dev/dsa
	mkdir -p $devices $bus/drivers/idxd $bus/drivers/user /dev/dsa
}

write_files() { # FOLDER FILE=VALUE...
	local folder=$1 pair
	mkdir -p "$folder"
	shift
	for pair; do
		printf '%s\n' "${pair#*=}" >"$folder/${pair%%=*}"
	done
}

device_of() { # KIND NUMBER NODE FILE=VALUE...
	local at=$devices/$1$2
	write_files "$at" cmd_status=0x0 max_groups=4 max_work_queues=8 max_engines=4 \
		max_work_queues_size=128 numa_node="$3" ims_size=0 max_batch_size=1024 \
		max_transfer_size=2147483648 gen_cap=0x40915f0107 configurable=1 pasid_enabled=1 \
		max_read_buffers=96 read_buffer_limit=0 cdev_major=237 version=0x100 state=enabled \
		clients=0 errors=00000000,00000000,00000000,00000000,00000000,00000000,00000000,00000000 \
		op_cap=00000000,00000000,00000000,00000000,00000000,00000000,00000001,003f03fd "${@:4}"
	write_files "$at/group$2.0" "engines=engine$2.0" "work_queues=wq$2.0" read_buffers_reserved=0 \
		read_buffers_allowed=96 use_read_buffer_limit=0 traffic_class_a=1 traffic_class_b=1 \
		desc_progress_limit=0 batch_progress_limit=0
	write_files "$at/engine$2.0" group_id=0
}

device() { # NUMBER NODE FILE=VALUE...
	device_of dsa "$@"
}

# A shared one for users, enabled, with its device file.
queue() { # DEVICE NUMBER FILE=VALUE...
	write_files "$devices/dsa$1/wq$1.$2" group_id=0 size=16 priority=10 block_on_fault=0 mode=shared \
		state=enabled cdev_minor="$2" type=user name=batchmig driver_name=user threshold=15 \
		max_batch_size=32 max_transfer_size=2097152 ats_disable=0 clients=0 "${@:3}"
	mkdir "$devices/dsa!wq$1.$2" # the character device
	mkfifo -m 600 "/dev/dsa/wq$1.$2"
}

# A device that nobody has configured, with all that accel-config wants to see.
idle_device() { # NUMBER
	local part
	device "$1" 0 state=disabled
	for part in 0 1 2 3; do
		idle_queue "$1" $part
		# A file of ours is not cut off when it is written: -1 would leave its second half.
		write_files "$devices/dsa$1/wq$1.$part" group_id=9
		write_files "$devices/dsa$1/engine$1.$part" group_id=9
		write_files "$devices/dsa$1/group$1.$part" read_buffers_reserved=0 read_buffers_allowed=96 \
			use_read_buffer_limit=0 traffic_class_a=1 traffic_class_b=1
		: >"$devices/dsa$1/group$1.$part/engines"
		: >"$devices/dsa$1/group$1.$part/work_queues"
	done
}

# As the driver has it before anybody configures it: without a device file.
idle_queue() { # DEVICE NUMBER
	queue "$1" "$2" group_id=-1 size=0 priority=0 state=disabled type=none name= driver_name= threshold=0
	rm -r "/dev/dsa/wq$1.$2" "$devices/dsa!wq$1.$2"
}
