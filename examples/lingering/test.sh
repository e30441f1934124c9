#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest, with the parameters of the module. lastref attaches before the module is loaded,
# so that it sees every reference taken; 5 s after that it must have been freed. If it was not, what
# is printed says who keeps it, and the status is 3.
exec lastref run -d 5 -- sh -c '
    set -eu
    insmod /root/lingering.ko "$@"
    # Here the driver would be tested.
    rmmod lingering
' sh "$@"
