#!/usr/bin/env bash
# test_hosts.sh NMRCHECK SCRATCH - shards on several hosts are the whole, also when one of the hosts is down.
#
# Where we may, each host is a network namespace with an address and an sshd, in namespaces of ours that vanish with
# this script; elsewhere, an sshd on a loopback address.  Code 77 (skipped) where a program for that is missing.
set -eu

skip() { echo "test_hosts.sh: skipped: $*"; exit 77; }
fail() { echo "test_hosts.sh: $*" >&2; exit 1; }
PATH=$PATH:/usr/sbin:/sbin
for program in parallel ssh ssh-keygen sshd; do
    command -v $program >/dev/null || skip "no $program (packages parallel, openssh-client, openssh-server)"
done
own=(unshare --net --mount --pid --fork --kill-child --mount-proc)
if [ -z "${NMRCHECK_HOSTS:-}" ]; then
    export NMRCHECK_HOSTS=loopback
    if [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null && "${own[@]}" ip link add type veth 2>/dev/null; then
        NMRCHECK_HOSTS=namespaces exec "${own[@]}" "$0" "$@"
    fi
fi

nmrcheck=$(realpath "$1")
script=$(realpath "$(dirname "$0")/../explore_parallel.sh")
mkdir -p "$2"
cd "$2"
find . -mindepth 1 -delete
scratch=$PWD port=22

# ---- the hosts: two that are there, one that is not
case $NMRCHECK_HOSTS in
namespaces)
    address() { echo "10.0.$1.2"; }
    on() { ip netns exec "host$1" "${@:2}"; }
    mount -t tmpfs none /run
    mkdir /run/sshd
    echo 'root:*:1:0:99999:7:::' >shadow    # sshd without PAM takes an account that is locked for one to keep out
    mount --bind shadow /etc/shadow
    for i in 1 2; do
        ip netns add "host$i"
        ip link add "to-host$i" type veth peer name net0 netns "host$i"
        ip address add "10.0.$i.1/24" dev "to-host$i"
        ip link set "to-host$i" up
        on $i ip address add "10.0.$i.2/24" dev net0
        on $i ip link set net0 up
    done ;;
loopback)
    address() { echo "127.0.0.$(($1 + 1))"; }
    on() { exec "${@:2}"; }
    port=$((20000 + $$ % 10000))
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd      # as the package's start script does
    trap 'kill $(jobs -p) 2>/dev/null || true' EXIT ;;
esac

ssh-keygen -q -t ed25519 -N '' -f key
cat >sshd_config <<END
HostKey $scratch/key
AuthorizedKeysFile $scratch/key.pub
AuthenticationMethods publickey
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
END
cat >ssh_config <<END
Port $port
IdentityFile $scratch/key
IdentitiesOnly yes
BatchMode yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
ConnectTimeout 10
END
for i in 1 2 3; do
    printf 'Host host%d\n    HostName %s\n' $i "$(address $i)" >>ssh_config
done
for i in 1 2; do
    on $i "$(command -v sshd)" -D -f "$scratch/sshd_config" -o "ListenAddress $(address $i):$port" \
        -E "$scratch/sshd-$i.log" &
    for try in $(seq 100); do
        ssh -F ssh_config "host$i" true 2>ssh.log && break
        [ "$try" -lt 100 ] || fail "no way to host$i: $(cat ssh.log "sshd-$i.log")"
        sleep 0.05
    done
done
! ssh -F ssh_config host3 true 2>ssh.log || fail "host3 is there"

# ---- the shards
export PARALLEL_HOME=$scratch/parallel PARALLEL_SSH="ssh -F $scratch/ssh_config"
mkdir parallel
numbers() { grep -E '"(executions.*|seen|complete|fingerprint)":' "$1/summary.json" | grep -v on_the_way; }

for module in exnpi_refcounted mutant_PD_4; do
    explore=("$module" --strategy dpor --setup call-vs-deregister --keep-going)
    code=0 merged=0
    "$nmrcheck" explore "${explore[@]}" --out "whole-$module" >/dev/null || code=$?
    PARALLEL='--sshlogin 2/host1,2/host2,1/host3' \
        "$script" "$nmrcheck" "$module" 8 "${explore[@]}" >out 2>err || merged=$?
    [ $merged -eq $code ] || fail "$module: exit code $merged, not $code: $(cat out err)"
    [ "$(numbers "$module")" = "$(numbers "whole-$module")" ] || fail "$module: not the whole: $(numbers "$module")"
    [ "$(awk 'NR > 1 {print $2}' "$module/jobs.log" | sort -u | tr '\n' ' ')" = "host1 host2 " ] ||
        fail "$module: not on both hosts: $(cat "$module/jobs.log")"
done
PARALLEL='--sshlogin 1/host3' "$script" "$nmrcheck" none 2 "${explore[@]}" >out 2>err && fail "no host is no trouble"
echo "test_hosts.sh: hosts are $NMRCHECK_HOSTS"
