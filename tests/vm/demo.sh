#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What `make demo` runs, as root, in a guest with the patched kernel.
set -eu

say() { printf '\n# %s\n' "$*"; }

# Shows a command and runs it, in place of its shell: a shell that waits for it would keep open
# what it redirects. Of lastref's exit statuses, those that say what is pending are part of the show.
show() {
    printf '$ %s\n' "$1"
    status=0
    sh -c "exec $1" || status=$?
    case $status in
    0) ;;
    3 | 4 | 6) printf '(exit status %s)\n' "$status" ;;
    *) exit "$status" ;;
    esac
}

say 'A process has the device of a module open: rmmod says "Module tun is in use", and no more.'
modprobe tun
# shellcheck disable=SC2217 # it only has to have it open
sleep 1000 < /dev/net/tun &
show 'lastref why -q tun'
kill $!

say 'Three kernel threads run in a module. rmmod does not wait for them: each holds a soft reference.'
show 'insmod modules/lr_threads.ko threads=3 linger_ms=700'
show 'lastref run -q -- rmmod lr_threads'

say "rmmod's own standard input is the file that pins the module: with hard references, a deadlock."
show 'insmod modules/lr_file.ko'
show 'lastref run -q -- rmmod lr_file < /dev/lr_file'

say 'A reference leaks. Which of the functions that take references does not give them back?'
show 'insmod modules/lr_leak.ko'
: > refs.err
lastref refs -q lr_leak 2> refs.err > refs.out &
refs=$!
until grep -q 'lastref: attached' refs.err; do sleep 0.1; done
show "echo balanced 1000 > /sys/kernel/debug/lr_leak/control"
sleep 1 # lastref looks four times a second whether nothing is outstanding
show "echo leak 2 > /sys/kernel/debug/lr_leak/control"
printf '$ lastref refs lr_leak\n'
kill -TERM "$refs"
wait "$refs" || true
cat refs.out
show 'lastref run -q -d 2 -- rmmod lr_leak'

say 'What is stuck now?'
show 'lastref'
