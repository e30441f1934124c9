# SPDX-License-Identifier: GPL-2.0-only
# Unloads of every kind but the crashed, for a guest with the patched kernel: what report_page.py
# records for test_report_html.py and scripts/screenshots.
# shellcheck shell=sh
set -u
M=/root/modules
D=/sys/kernel/debug

insmod $M/lr_threads.ko threads=5 linger_ms=250
rmmod lr_threads

insmod $M/lr_slow.ko exit_ms=400
rmmod lr_slow

insmod $M/lr_refs.ko
for command in 'get 6 A' 'get 4 B' 'get 2 C softirq' 'later 5 300 A' 'later 4 600 B' 'later 3 900 C'; do
    echo "$command" > $D/lr_refs/control
done
rmmod lr_refs

insmod $M/lr_base.ko
insmod $M/lr_user.ko hold_ms=500
busybox rmmod lr_base # refused
rmmod lr_user

insmod $M/lr_file.ko
rmmod lr_file < /dev/lr_file # rmmod's own standard input pins it

insmod $M/lr_leak.ko
echo balanced 50 > $D/lr_leak/control
echo leak 3 > $D/lr_leak/control
rmmod lr_leak # waits for ever

insmod $M/lr_hang.ko in_exit=nap
rmmod lr_hang & # until released
busybox sleep 1
echo 'the story is told' >&2
