#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is done in a guest. A measurement sources this and goes on as one script: between two commands
# of the host hours go by in a guest whose clock counts instructions. What it prints is cut into
# sections by lines "== NAME".
set -eu
T=/tmp/bench
mkdir -p $T
refs=/sys/kernel/debug/lr_refs
export loop pairs prefix

fail()
{
    echo "bench: $*" >&2
    exit 1
}

now() # in µs
{
    echo "${EPOCHREALTIME/./}"
}

# "PAIRS NS" a round; the first is for what a tracer does only once.
rounds()
{
    for _ in first 1 2 3; do
        echo "$loop $pairs" >$refs/control
        cat $refs/bench
    done
}

# "RSS_KB HWM_KB KERNEL_KB" of a tracer; the kernel's part are its maps and programs.
memory()
{
    awk '/^VmRSS/ { rss = $2 } /^VmHWM/ { hwm = $2 } END { printf "%d %d ", rss, hwm }' "/proc/$1/status"
    awk 'FNR == 1 { bytes = 0 }
         /^memlock/ { bytes = $2 }
         /^(map|prog)_id/ { if (bytes > seen[$0]) { sum += bytes - seen[$0]; seen[$0] = bytes } }
         END { print int(sum / 1024) }' "/proc/$1"/fdinfo/*
}

# Until no program is attached any more: links go a moment after those who held them.
detached()
{
    while [ -n "$(bpftool link show)" ]; do
        usleep 10000
    done
}

untraced() # NAME ACTION
{
    echo "== $1"
    $2
}

floor() # NAME ACTION OBJECT: programs that do nothing
{
    echo "== $1"
    /root/floor "/root/$3" /bin/bash /root/bench.sh "$2"
    detached
}

lastref_refs() # NAME ACTION ARGUMENT…
{
    local name=$1 action=$2 began ready='' line pid
    shift 2
    mkfifo $T/err
    began=$(now)
    lastref refs -q -j "$@" >$T/out 2>$T/err &
    pid=$!
    exec 3<$T/err
    while read -r line <&3; do
        case $line in
        "lastref: attached"*) ready=$(now) && break ;;
        *) echo "$line" >&2 ;;
        esac
    done
    [ "$ready" ] || fail "lastref refs $* ended before it was attached"
    echo "== $name"
    $action
    echo "== start $name"
    echo "$((ready - began)) $(memory $pid)"
    kill -INT $pid
    wait $pid || fail "lastref refs $* ended with $?: $(cat <&3)"
    echo "== out $name"
    cat $T/out
    exec 3<&-
    rm $T/err
    detached
}

# bpftrace runs a command of its own as soon as all is attached. It is this script.
bpftrace_runs() # NAME ACTION PROGRAM
{
    began=$(now) bpftrace -c "/bin/bash /root/bench.sh in_bpftrace $2" -e "$3" >$T/out ||
        fail "bpftrace -e '$3' ended with $?: $(cat $T/out)"
    [ -s $T/inside ] || fail "bpftrace -e '$3' did not attach: $(cat $T/out)"
    echo "== $1"
    cat $T/inside
    echo "== start $1"
    cat $T/start
    echo "== out $1"
    cat $T/out
    rm $T/inside $T/start
    detached
}

in_bpftrace() # ACTION
{
    local ready
    ready=$(now)
    $1 >$T/inside
    echo "$((ready - began)) $(memory $PPID)" >$T/start
}

hist() # NAME ACTION EVENTS KEYS: ftrace's own counts, of module_get and module_put if EVENTS is module
{
    local events=/sys/kernel/tracing/events/module event
    for event in "$3_get" "$3_put"; do
        echo "hist:keys=$4:size=2048" >"$events/$event/trigger"
    done
    echo "== $1"
    $2
    echo "== out $1"
    cat "$events/$3_get/hist" "$events/$3_put/hist"
    for event in "$3_get" "$3_put"; do
        echo "!hist:keys=$4:size=2048" >"$events/$event/trigger"
    done
}

# --- the series: each point as "== POINT", measured untraced and once more with a tracer ---

sites=/sys/module/lb_sites/parameters

# Passes for what a tracer does once for a call site; it reads meanwhile what it is sent.
settle() # PASSES
{
    for _ in $(seq "$1"); do
        cat /sys/kernel/debug/lb_sites >/dev/null
        sleep 0.3
    done
}

point() # NAME: three rounds after one
{
    echo "== $1"
    for _ in first 1 2 3; do
        cat /sys/kernel/debug/lb_sites
    done
}

# $prefix tells the points of one tracer from those of another.
call_sites()
{
    local n part
    echo 0 >$sites/modules
    for n in 1 10 100 1000 10000; do
        # Some at a time: what is sent for each new one would not all fit into a buffer.
        for part in $(seq 500 500 "$n") "$n"; do
            echo "$part" >$sites/sites
            settle 1
        done
        settle 3
        point "$prefix call_sites $n"
    done
}

modules()
{
    local n
    for n in 1 4 16 64 256; do
        echo $n >$sites/modules
        settle 3
        point "$prefix modules $n"
    done
}

outstanding()
{
    local n before=0
    for n in 0 10 1000 100000 1000000; do
        echo "get $((n - before))" >$refs/control
        before=$n
        echo "== $prefix outstanding $n"
        rounds
    done
    echo "put $before" >$refs/control
}

# "cpu LOAD UNLOAD" a round: what the two system calls take, in instructions.
loads()
{
    local module
    for module in lm_plain lm_soft; do
        echo "== $prefix loads $module"
        /root/lm_run 11 /root/modules/$module.ko
    done
}

# The call sites come last: what a tracer remembers of 10,000 of them is in the way of others.
all_series()
{
    loads
    outstanding
    modules
    call_sites
}

# --- by the clock ---

# "PAIRS US" a round: pairs on all processors at once, by the clock.
contended()
{
    local began
    echo "== $prefix contended"
    for _ in first 1 2 3 4 5 6 7; do
        began=$(now)
        echo "mix $pairs task" >$refs/control
        echo "$pairs $(($(now) - began))"
    done
}

# Called by its name it runs one of these functions, sourced it only defines them.
[ "$0" != /root/bench.sh ] || "$@"
