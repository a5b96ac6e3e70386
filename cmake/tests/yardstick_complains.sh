#!/usr/bin/env bash
# yardstick_complains.sh YARDSTICK ROOT FOLDER EXCEPTIONS - yardstick.sh notices what it is there to notice: a wrong
# constant, enumerator, offset, size, sign, prototype, callback type and name, each put into a copy of the headers.
set -euo pipefail

yardstick=$1 root=$2 folder=$3 exceptions=$4
rm -rf "$folder"
mkdir -p "$folder/root/model"
cp -r "$root/model/wdk" "$folder/root/model"
headers=$folder/root/model/wdk

# change FILE FROM TO: exactly this text must be there.
change() {
    if ! grep -qF "$2" "$headers/$1"; then
        echo "$1 has no '$2' any more: this test has to follow"
        exit 1
    fi
    sed -i "s/$2/$3/" "$headers/$1"
}
change wdm.h '#define FILE_DEVICE_NETWORK 0x00000012' '#define FILE_DEVICE_NETWORK 0x00000013'
change wdm.h 'DelayExecution,' 'DelayExecution = 77,'
change wdm.h 'ACCESS_MASK GrantedAccess;' 'USHORT Inserted; ACCESS_MASK GrantedAccess;'
change wdm.h 'ULONG DefaultLength;' 'ULONG64 DefaultLength; ULONG64 Another;'
change ntdef.h 'typedef CCHAR KPROCESSOR_MODE;' 'typedef UCHAR KPROCESSOR_MODE;'
change wdm.h 'LONG KeReadStateEvent(' 'PVOID KeReadStateEvent('
change wdm.h 'KSTART_ROUTINE(_In_ PVOID StartContext)' 'KSTART_ROUTINE(_In_ ULONG StartContext)'
change wdm.h 'BOOLEAN KeReadStateTimer(' 'BOOLEAN KeReadTimerState('

status=0
"$yardstick" "$folder/root" "$folder/out" "$exceptions" >"$folder/log" || status=$?
if [ "$status" -eq 77 ]; then
    cat "$folder/log"
    exit 77
fi
wrong=0
for expected in 'value FILE_DEVICE_NETWORK is 19' 'value DelayExecution is 77' \
    'offset OBJECT_HANDLE_INFORMATION.GrantedAccess is 8' 'size RTL_QUERY_REGISTRY_TABLE is 64' \
    'sign KPROCESSOR_MODE is 0' 'prototype KeReadStateEvent is' 'prototype KSTART_ROUTINE is' \
    'export KeReadTimerState is'; do
    if ! grep -qF "$expected" "$folder/log"; then
        echo "not noticed: $expected"
        wrong=1
    fi
done
[ "$status" -eq 1 ] || wrong=1
[ "$wrong" -eq 0 ] || cat "$folder/log"
exit $wrong
