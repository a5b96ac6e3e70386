#!/usr/bin/env bash
# test_cli.sh NMRCHECK SCRATCH - every command of the command line, and every kind of bad input.
#
# SCRATCH is a folder that is emptied first.  A bad input must give exit code 2, nothing on standard output and
# exactly the one line on standard error that is written down here, and must leave nothing behind.
set -eu

nmrcheck=$(realpath "$1")
mkdir -p "$2"
scratch=$(realpath "$2")
find "$scratch" -mindepth 1 -delete
cd "$scratch"

tests=0

fail() {
    printf 'test_cli.sh: %s\n' "$*" >&2
    for file in out err; do
        [ -s "$scratch/$file" ] && sed "s/^/  $file: /" "$scratch/$file" >&2
    done
    exit 1
}

# expect CODE ARGUMENT... : run nmrcheck, output in ./out and ./err
expect() {
    local code=$1 got=0
    shift
    tests=$((tests + 1))
    "$nmrcheck" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || got=$?
    [ "$got" -eq "$code" ] || fail "nmrcheck $*: exit code $got instead of $code"
}

# bad LINE ARGUMENT... : exit code 2 and exactly this line
bad() {
    local line=$1
    shift
    expect 2 "$@"
    [ "$(cat err)" = "$line" ] || fail "nmrcheck $*: not the message '$line'"
    [ ! -s out ] || fail "nmrcheck $*: bad input, but something on standard output"
}

# Words on standard output, wherever lines are broken.
says() { tr -s ' \n' ' ' <out | grep -qF -- "$(tr -s ' ' <<<"$1")" || fail "output lacks '$1'"; }
no_leftovers() { [ -z "$(find . -name '*.tmp')" ] || fail "temporary files left: $(find . -name '*.tmp')"; }

# ---- modules to try: a correct one and a mutant
expect 0 list
good=$(awk '$1 == "exnpi_refcounted" {print $1}' out)
[ -n "$good" ] || good=$(awk '$2 !~ /^[A-Z]+-[0-9]+$/ {print $1; exit}' out)
mutant=$(awk '$2 ~ /^[A-Z]+-[0-9]+$/ {print $1; exit}' out)
rule=$(awk '$2 ~ /^[A-Z]+-[0-9]+$/ {print $2; exit}' out)
breaks_pa_4=$(awk '$1 == "mutant_PA_4"' out)
if [ -z "$mutant" ]; then                   # a program without mutants: the sample as it is printed is broken, too
    mutant=$(awk '$1 == "page_literal" {print $1}' out)
    rule=PA-4
fi
[ -n "$good" ] && [ -n "$mutant" ] || fail "list names no correct module or no mutant"

# ---- list, rules, help
expect 0 list --json
says "\"name\": \"$good\""
expect 0 --json list
says "\"name\": \"$mutant\""
expect 0 rules
says "$rule "
says "PA-31 H violation The callback's type"
says "(by the compiler: "
says "PD-24 D violation There is one detach call"
says "(not decidable here: "
[ "$(grep -cE '^[A-Z]+-[0-9]+ ' out)" -eq "$(awk '$1 == "all" {print $2}' out)" ] || fail "rules miscounts itself"
awk '$1 == "all" {good = $2 == $3 + $4 && $2 == $5 + $6 + $7 && $6 > 0 && $7 > 0} END {exit !good}' out ||
    fail "the counts of rules do not add up"
expect 0 rules --json
[ "$(grep -c '"why": "..' out)" -eq "$(grep -c '"sentence": ' out)" ] || fail "not every rule says why it matters"
says '"groups": ['

expect 0 rules PA-4
says " severity violation class documented as a must judged while a module runs source https://"
says " why "
if [ -n "$breaks_pa_4" ]; then
    says "Good and bad code: mutant_PA_4 breaks it"
    says " good | *ProviderBindingContext = BindingContext;"
    ! grep -q '^  bad .*ProviderBindingContext = ' out || fail "rules PA-4: the bad code is the good one"
    says "What the bad code leads to what "
    says "Scenario: "
    says "nmrcheck check mutant_PA_4"
    expect 0 rules PA-4 --json
    says '"in": "good"'
    says '"expectation": "PA-4"'
else
    says "This program holds no module that breaks it."
    expect 0 rules PA-4 --json
    says '"mutants": []'
fi
says '"id": "PA-4"'
says '"severity": "violation"'
expect 0 rules PA-31
says "judged by the compiler because "
! grep -q 'bad code' out || fail "rules PA-31: code without a mutant"
expect 0 rules PD-24 --json
says '"judged": "nowhere"'
says '"mutants": []'
expect 0 --help
says "Commands:"
expect 0 --version
says "nmrcheck "
for command in list check explore fuzz replay show shrink keep rules; do
    expect 0 "$command" --help
    says "Usage: nmrcheck $command"
done

# ---- a correct module
expect 0 check "$good" --time 4 --executions 20000 --preemptions 1
says "$good: no finding in "
[ -s "nmrcheck-out/$good/summary.md" ] || fail "check wrote no summary.md"
[ -s "nmrcheck-out/$good/summary.json" ] || fail "check wrote no summary.json"
expect 0 explore "$good" --preemptions 0 --deviations 0 --out bounds
says "complete: all executions of "
says " with <= 0 preemptions and <= 0 fault, peer or NMR deviations, profile windows: "
expect 0 explore "$good" --executions 3 --out bounds
says "not complete: "
expect 0 explore "$good" --strategy dpor --setup plain --deviations 0 --out bounds
says "complete: all "
says " traces of 1 setup with <= 0 fault, peer or NMR deviations, preemptions without bound, profile windows: "
expect 0 explore "$good" --strategy dpor --setup plain --executions 3 --out bounds
says "not complete: stopped by the limit on executions, with 0 of 1 setup done; wanted: all traces of 1 setup with "
says " executions are left in the other (an estimate; early ones are too small): 3 executions, "

# ---- stopped and gone on with: the same in the end, and what does not belong together is refused
traces() { grep -o '[0-9,]* traces' out; }
dpor() { "$1" "${@:2}" --strategy dpor --setup plain --out saved; }
state=saved/dpor-plain.state
dpor expect 0 explore "$good"
whole=$(traces)
[ ! -e $state ] || fail "a complete exploration left $state"
for executions in 10 20 30; do dpor expect 0 explore "$good" --executions $executions; done
says " 20 executions in earlier runs, 30 executions, "
cp $state kept
dpor bad "nmrcheck: $state: saved with other operations, profile, rules or bounds; --fresh starts anew" \
    explore "$good" --deviations 0
dpor bad "nmrcheck: $state: saved with other operations, profile, rules or bounds; --fresh starts anew" \
    explore "$good" --profile chaos
damaged="nmrcheck: $state: this is no saved exploration, or it is damaged; --fresh starts anew"
for change in 'head -c -1' 'head -c 500' 'head -c 0' "sed 4~1s/1/2/" 'sed 1d'; do
    $change kept >$state
    dpor bad "$damaged" explore "$good"
done
cp kept $state
cp "$nmrcheck" other
echo >>other
"./other" explore "$good" --strategy dpor --setup plain --out saved >out 2>err && fail "another build goes on"
grep -qxF "nmrcheck: $state: saved by another build of this program or of its modules; --fresh starts anew" err ||
    fail "another build gives no reason"
rm other
dpor expect 0 explore "$good"
[ "$(traces)" = "$whole" ] || fail "in parts: $(traces), at once: $whole"
[ ! -e $state ] || fail "a completed exploration left $state"
cp kept $state
dpor expect 0 explore "$good" --deviations 0 --fresh
[ ! -e $state ] || fail "--fresh left $state"
"$nmrcheck" explore "$good" --strategy dpor --deviations 2 --out killed >/dev/null 2>&1 &    # hours
while [ -z "$(find killed -name '*.state' 2>/dev/null)" ]; do sleep 0.05; done
{ kill -9 $!; wait $!; } 2>/dev/null || true
expect 0 explore "$good" --strategy dpor --deviations 2 --out killed --time 1
says " executions in earlier runs, "

# ---- shards: together the whole
executions() { sed -n 's/.*"executions": \([0-9]*\).*/\1/p' "$1/summary.json" | head -1; }
for strategy in 'dpor --setup register-vs-unload' 'dfs --preemptions 1 --setup call-vs-deregister' \
    'random --executions 1000'; do
    expect 0 explore "$good" --strategy $strategy --out whole
    whole=$(executions whole)
    for shard in 1 2 3; do
        expect 0 explore "$good" --strategy $strategy --shard $shard/3 --out shard-$shard
        [ "$(executions shard-$shard)" -lt "$whole" ] || fail "shard $shard is all"
    done
    expect 0 merge shard-? --out merged
    [ "$(executions merged)" = "$whole" ] || fail "$strategy: the shards are not the whole"
    case $strategy in
    d*) says "complete: all " ;;
    *) says "1,000 executions in 3 of 3 shards" ;;
    esac
    expect 0 merge shard-1 shard-3 --out merged
    says "2 of 3 shards"
    case $strategy in d*) says "not complete: shard 2 is missing" ;; esac
done
bad "nmrcheck: shard-1: shard 1 was there before" merge shard-1 shard-2 shard-1 --out merged
bad "nmrcheck: whole/summary.json: this is a whole run, not a shard of one" merge shard-1 whole --out merged
bad "nmrcheck: none/summary.json: No such file or directory" merge none --out merged
mkdir -p many
sed 's/"index": 1,/"index": 2000000000,/; s/"count": 3,/"count": 2000000000,/' shard-1/summary.json >many/summary.json
bad "nmrcheck: many/summary.json: this is no summary of nmrcheck explore, or it is damaged" merge many --out merged
expect 0 explore "$good" --strategy random --executions 1000 --seed 2 --shard 2/3 --out shard-4
bad "nmrcheck: shard-4: a shard of another run than shard-1" merge shard-1 shard-4 --out merged
bad "nmrcheck explore: --shard: one of N shards, as 1/N to N/N, not '4/3'" explore "$good" --shard 4/3
expect 1 explore "$mutant" --keep-going --preemptions 1 --deviations 0 --shard 1/2 --out found-1
expect 1 explore "$mutant" --keep-going --preemptions 1 --deviations 0 --shard 2/2 --out found-2
expect 1 merge found-1 found-2 --out found
names() { find "$@" -name '*.scn' -printf '%f\n'; }
[ "$(names found-1 found-2 | sort -u)" = "$(names found | sort)" ] ||
    fail "merge loses findings, or has them twice"
expect 0 replay --check found

expect 0 explore "$good" --strategy random --executions 50 --seed 7 --json --out random
cp out first
expect 0 explore "$good" --strategy random --executions 50 --seed 7 --json --out random
grep -v '"seconds"' first >a
grep -v '"seconds"' out >b
cmp -s a b || fail "the same seed gives other numbers"
for strategy in random pct pos surw portfolio; do
    expect 0 explore "$good" --strategy $strategy --executions 40 --first 7 --out sampled
    says " $strategy seed 1, from number 7: "
    says " 40 executions, "
done
expect 0 explore "$good" --strategy pct --depth 2 --setup call-vs-deregister --executions 40 --out sampled
says " seed 1, from number 0: pct with depth 2 shows a bug of that depth with a probability of at least 1/(n*k^1) = "
says " in an execution (n = "
expect 0 explore "$good" --strategy auto --setup plain --time 3 --out sampled
says " one by one complete: all executions of "
says " with <= 0 preemptions and <= 1 fault, peer or NMR deviation, profile windows: "
says " dpor complete: all "
says " portfolio seed 1, from number 0: "

# ---- auto: dpor goes on in each of its turns.  A turn that began anew would see findings again.
number() { sed -n "s/^ *\"$1\": \([0-9]*\),\?$/\1/p" "$2"; }
total() { number "$@" | awk '{sum += $1} END {print sum + 0}'; }
if "$nmrcheck" list | grep -q '^mutant_PD_4 '; then
    explore=(mutant_PD_4 --setup calls-vs-unload --keep-going --json --executions 20000)
    expect 1 explore "${explore[@]}" --strategy dpor --out alone
    cp out alone.json
    expect 1 explore "${explore[@]}" --strategy auto --time 200 --out turns
    [ "$(number executions out | sed -n 2p)" = "$(number executions alone.json)" ] ||
        fail "dpor of auto has not the executions of dpor alone"
    [ "$(number executions out | sed -n 3p)" = 20000 ] || fail "auto takes not as many samples as it was given"
    [ "$(grep -c '"complete": true' out)" = 2 ] || fail "dpor of auto is not complete"
    [ "$(total seen out)" = "$(total executions_with_finding out)" ] || fail "auto repeats executions"
fi

# ---- setups that few drivers' mistakes need, but these do
while read -r module setup broken; do
    "$nmrcheck" list | grep -q "^$module " || continue
    expect 1 explore "$module" --strategy dpor --setup "$setup" --out "$setup"
    says "$broken broken by $module"
done <<'END'
mutant_buffer_made_twice same-calls RACE-1
mutant_KRN_5 later-vs-deregister KRN-5
mutant_rundown_after_publish entry-vs-register PA-22
END

# ---- strategies compared
if [ -n "$breaks_pa_4" ]; then
    expect 0 mutants --strategies --seeds 3 --random 1000 mutant_PA_4
    says "rule module dpor random pct pos surw portfolio"
    says "1 mutant, median of 3 seeds, at most 1,000 executions of each seed and 20,000 of each setup, "
    says "never found: dpor 0 random 0 pct 0 pos 0 surw 0 portfolio 0"
fi

# ---- a finding, from search to regression scenario
expect 1 check "$mutant" --time 60
says "replay      nmrcheck replay nmrcheck-out/$mutant/"
scn=$(find "nmrcheck-out/$mutant" -name '*.scn' | head -1)
[ -n "$scn" ] || fail "check found something but wrote no scenario"
[ -s "${scn%.scn}.txt" ] && [ -s "${scn%.scn}.json" ] || fail "no report beside $scn"
grep -q '^# expect ' "$scn" || fail "$scn does not say what to expect"
found=$(sed -n 's/^# expect //p' "$scn")
cp "${scn%.scn}.json" report.json
expect 1 check "$mutant" --time 60
cmp -s "${scn%.scn}.json" report.json || fail "the same finding gives another report"
! grep -q '0x[0-9a-f]\{7,\}' "${scn%.scn}.txt" || fail "an address in ${scn%.scn}.txt"

expect 1 replay "$scn"
says "$found"
expect 1 replay --trace "$scn"
says "Story"
expect 1 replay --all "$scn"
expect 1 replay --json "$scn"
says "\"expectation\": \"$found\""
expect 0 replay --check "$scn"
says "1 scenario, 1 as expected, 0 not"
expect 0 replay --check "nmrcheck-out/$mutant"
expect 0 replay --expect "$found" "$scn"
expect 1 replay --expect PASS "$scn"
says "$scn: expected PASS, got $found"

# ---- a race: both accesses, what their threads were in, and the locks that they held
printf '%s\n' 'module mutant_PA_27' 'op t1 register c0' 'op t3 deregister c2' 'op t1 register-before-load c2' >race.scn
expect 1 replay --trace race.scn
says "the earlier write, thread t1"
says "in ProviderAttachClient, NmrClientAttachProvider, ClientAttachProvider, NmrRegisterClient; it holds no"
says "in ProviderCleanupBindingContext, NmrDeregisterClient; it holds spin lock 0"
expect 1 replay --trace --json race.scn
says '"locks": "spin lock 0"'

# ---- a deadlock: who waits for whom; the step limit: what is repeated
printf '%s\n' 'module mutant_PD_4' 'op t0 register-before-load c0' 'op t1 call c0 1' 'op t2 unload c0' \
    'peer c0 callback = park' >hang.scn
expect 1 replay --trace hang.scn
says "t2, in DriverUnload, waits in NmrWaitForProviderDeregisterComplete for registration 1"
says "binding 0: the module never completed its detach"
expect 1 replay --trace --json hang.scn
says '"title": "Waits"'
sed 's/PD_4/PD_3/' hang.scn >loop.scn
expect 1 replay --trace loop.scn
says "Loop: the last steps, which repeat"
says "t2 YieldProcessor"

# ---- the step limit as a verdict
expect 0 explore mutant_PD_3 --script loop.scn --mute PD-3 --mute PD-22 --executions 20 --out limits
says "hit a limit and were not followed to their end (limit.scenario is the first)"
grep -q "^# expect STEPS" limits/limit.scenario || fail "limit.scenario does not say what it is"
expect 1 replay limits/limit.scenario

# ---- what a race leads to: only with scheduling points at loads and stores
two_calls='op t0 register c0\nop t1 call c0\nop t2 call c0\n'
printf "module mutant_buffer_made_twice\n$two_calls" >calls.scn
expect 0 explore mutant_buffer_made_twice --script calls.scn --mute RACE-1 --out lost
expect 1 explore mutant_buffer_made_twice --script calls.scn --scheduling-points memory --out lost
says "op t0 scheduling-points memory"
expect 0 replay --check lost
expect 1 replay lost
says "finding MEM-8"
expect 2 explore mutant_buffer_made_twice --scheduling-points nowhere

# ---- which decision makes a finding likely
printf '%s\n' 'module mutant_PD_25' 'switch t0 at Interlocked #1 -> w0' >late.scn
expect 0 causality late.scn --runs 300
says "It becomes likely when w0 runs after t0 at Interlocked #1"
says "> 1 "
cp out plot
expect 0 causality late.scn --runs 300
cmp -s out plot || fail "causality gives other numbers"
expect 0 causality late.scn --runs 300 --json
says '"guilty": 0'
printf '%s\n' "module $good" >dull.scn
bad "nmrcheck: dull.scn: shows no finding" causality dull.scn
expect 2 causality late.scn --runs 0
expect 1 replay --trace late.scn
says "cause it becomes likely when w0 runs after t0 at Interlocked #1"
rm plot dull.scn

sed 's/^# hash .*/# hash 0000000000000000/' "$scn" >other.scn
expect 1 replay --check other.scn
says "other.scn: expected hash 0000000000000000, got "
expect 0 replay --bless other.scn
cmp -s other.scn "$scn" || fail "bless did not restore the expectation"
grep -v '^# ' "$scn" | sed '1i # a comment of mine' >other.scn
expect 0 replay --bless other.scn
says "1 scenario, 1 rewritten"
expect 0 replay --check other.scn
[ "$(head -1 other.scn)" = "# a comment of mine" ] || fail "bless lost a comment"

expect 0 show "$scn"
cmp -s out "$scn" || fail "show changes a scenario it prints"
expect 0 show "$scn" --binary -o finding.bin
expect 0 show finding.bin -o back.scn
grep -v '^#' "$scn" | cmp -s - back.scn || fail "text to binary and back is not the same"
expect 0 show finding.bin --binary -o again.bin
cmp -s finding.bin again.bin || fail "binary to binary is not the same"
expect 0 show "$scn" --json
says "\"module\": \"$mutant\""
expect 1 replay finding.bin

{ cat finding.bin; printf 'abc'; } >crash-0123
expect 1 replay crash-0123
tail -c +9 finding.bin >id:000000,sig:06
expect 1 replay --module "$mutant" id:000000,sig:06

{ cat "$scn"; printf 'fault t1 at ExAllocatePool #40 = fail\n'; } >large.scn
expect 0 shrink large.scn -o small.scn
grep -v '^#' "$scn" | cmp -s - <(grep -v '^#' small.scn) || fail "shrink does not find the small scenario again"
expect 0 shrink large.scn
says "module $mutant"

expect 0 keep --corpus corpus "$scn"
kept=$(cat out)
case $kept in
corpus/"$mutant"/regress-"$found"-*.scn) ;;
*) fail "keep wrote '$kept'" ;;
esac
expect 0 keep --corpus corpus "$scn"
says "$kept (was there already)"
expect 0 replay --check corpus
expect 1 check "$mutant" --corpus corpus --time 60
says "corpus      1 scenarios replayed, 0 not as their files expect"

# ---- engines: they may not have been built, and then that is said
for engine in libfuzzer afl; do
    preset=${engine/libfuzzer/fuzz}
    needs=clang
    [ $engine = libfuzzer ] || needs="clang and AFL++"
    got=0
    tests=$((tests + 1))
    "$nmrcheck" fuzz "$good" --engine $engine --time 2 --out "engine-$engine" >out 2>err || got=$?
    if [ "$got" -eq 0 ]; then
        says "$good: no finding in "
    elif ! [ "$(cat err)" = "nmrcheck: nmrcheck-$engine is neither beside this program nor in a neighbouring '$preset' \
build folder; build the target nmrcheck-$engine, which takes $needs" ]; then
        fail "fuzz --engine $engine: exit code $got"
    fi
done

# ---- what lies behind a muted rule replays as it was found, and alone: the file says what was passed over
expect 1 explore mutant_CD_10 --mute CD-10 --strategy random --executions 2000 --keep-going --out behind
behind=$(grep -l '^# mute CD-10$' behind/KRN-1-*.scn | head -n 1)
[ -n "$behind" ] || fail "no scenario tells of the muted rule"
expect 0 replay --check "$behind"
expect 1 replay "$behind"
grep -q "KRN-1" out || fail "the scenario behind CD-10 does not show KRN-1"
grep -v '^# mute' "$behind" >reported.scn
expect 1 replay reported.scn "$behind" reported.scn
[ "$(grep -c 'finding CD-10' out)" = 2 ] || fail "a file's muted rules outlive it"
printf '# mute PA-4 XX-1\nmodule exnpi_multi\n' >wrong.scn
bad "nmrcheck: wrong.scn:1: what it mutes is no rule; nmrcheck rules lists them" replay wrong.scn

# ---- a muted rule is not reported, neither here nor by an engine; this one only tells what it was told
expect 1 explore "$mutant" --executions 2000 --out loud
says "$rule broken by $mutant"
tests=$((tests + 1))
"$nmrcheck" explore "$mutant" --executions 2000 --mute "$rule" --out muted >out 2>err || true
grep -q "^$mutant: " out || fail "explore --mute ended early"
! grep -q "^$rule broken by" out || fail "explore --mute $rule reports $rule"
# who asks for all findings is told when one of them ends most executions
expect 1 explore mutant_CA_12 --executions 50 --keep-going --out hidden
says "CA-12 ends most executions: --mute CA-12 shows what lies behind it"
mkdir told
cp "$nmrcheck" told/nmrcheck
printf '#!/bin/sh\necho "$NMRCHECK_MUTE" >told/muted\n' >told/nmrcheck-libfuzzer
chmod +x told/nmrcheck-libfuzzer
tests=$((tests + 1))
told/nmrcheck fuzz "$good" --mute PA-4 --mute PD-6 --out told/out >out 2>err || fail "fuzz --mute"
[ "$(cat told/muted)" = PA-4,PD-6 ] || fail "fuzz --mute tells the engine '$(cat told/muted)'"

# ---- bad command lines
bad "nmrcheck: no command; nmrcheck --help lists them"
bad "nmrcheck: unknown command 'frobnicate'; nmrcheck --help lists them" frobnicate
bad "nmrcheck: unknown module 'nobody'; nmrcheck list names them" check nobody
bad "nmrcheck: unknown module 'nobody'; nmrcheck list names them" explore nobody
bad "nmrcheck: unknown module 'nobody'; nmrcheck list names them" fuzz nobody
bad "nmrcheck: unknown module 'nobody'; nmrcheck list names them" replay --module nobody "$scn"
bad "nmrcheck: unknown rule 'XX-1'; nmrcheck rules lists them" rules XX-1
bad "nmrcheck fuzz: unknown rule 'XX-1'; nmrcheck rules lists them" fuzz "$good" --mute XX-1
bad "nmrcheck check: --time: 'soon' is not a whole number from 0 to 10000000" check "$good" --time soon
bad "nmrcheck explore: unknown strategy 'luck'; there are: dfs dpor random pct pos surw portfolio auto" \
    explore "$good" --strategy luck
bad "nmrcheck explore: --depth: from 1 to 16" explore "$good" --strategy pct --depth 0
bad "nmrcheck mutants: --seeds: from 1 to 1000" mutants --strategies --seeds 0
bad "nmrcheck fuzz: unknown engine 'steam'; there are: libfuzzer afl" fuzz "$good" --engine steam
bad "nmrcheck replay: no file given" replay
bad "nmrcheck replay: --expect: 'XX-1' is no verdict and no rule" replay --expect XX-1 "$scn"
bad "nmrcheck check: no module given; nmrcheck list names them" check

# ---- bad files
bad "nmrcheck: nothing.scn: No such file or directory" replay nothing.scn
mkdir empty
bad "nmrcheck: empty: no scenario in this folder" replay empty
bad "nmrcheck: empty: Is a directory" show empty
ln -s loop loop
bad "nmrcheck: loop: Too many levels of symbolic links" replay loop
bad "nmrcheck: /proc/self/mem: Input/output error" show /proc/self/mem

# Nothing is locked for root, who tries it as somebody else, if that one can run the program at all.
nobody=(env LLVM_PROFILE_FILE=/dev/null)
[ "$(id -u)" -ne 0 ] || nobody+=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${nobody[@]}" "$nmrcheck" --version >/dev/null 2>&1; then
    mkdir -p above/locked
    printf 'module %s\n' "$good" >above/a.scn
    chmod 0 above/locked
    for folder in above/locked above; do
        got=0
        tests=$((tests + 1))
        "${nobody[@]}" "$nmrcheck" replay $folder >out 2>err || got=$?
        [ "$got" -eq 2 ] && [ "$(cat err)" = "nmrcheck: above/locked: Permission denied" ] ||
            fail "a locked folder: exit code $got"
    done
    rmdir above/locked
fi
printf 'module nobody\n' >nobody.scn
bad "nmrcheck: nobody.scn:1: unknown module 'nobody'; nmrcheck list names them" replay nobody.scn
printf '# a comment\nop t1 call c0\n' >nameless.scn
bad "nmrcheck: nameless.scn: names no module; --module says which" replay nameless.scn
expect 0 replay --module "$good" nameless.scn
: >nothing
bad "nmrcheck: nothing: names no module; --module says which" replay nothing
expect 0 replay --module "$good" nothing
printf 'module %s\nop t1 call c0\nswitch t1 at KeSomething #1 -> t2\n' "$good" >site.scn
bad "nmrcheck: site.scn:3: unknown site 'KeSomething'" replay site.scn
printf 'module %s\n\nopp t1 call c0\n' "$good" >word.scn
expect 2 replay word.scn
grep -q '^nmrcheck: word.scn:3: ' err && [ "$(wc -l <err)" -eq 1 ] ||
    fail "a wrong first word: not one line about line 3"
printf 'module %s\nop t1 call c0' "$good" >cut.scn
bad "nmrcheck: cut.scn:2: truncated: the line has no end" replay cut.scn
head -c -3 finding.bin >cut.bin
bad "nmrcheck: cut.bin: truncated: the last record is not whole; --raw takes it as it is" replay cut.bin
head -c 5 finding.bin >head.bin
bad "nmrcheck: head.bin: truncated: the last record is not whole; --raw takes it as it is" show head.bin
printf '\001\002\003' >bytes.bin
bad "nmrcheck: bytes.bin: neither a text nor a binary scenario; --raw takes any bytes, as fuzzers do" replay bytes.bin
expect 0 replay --raw --module "$good" bytes.bin
printf '# hash 12\nmodule %s\n' "$good" >hash.scn
bad "nmrcheck: hash.scn:1: a hash is 16 hexadecimal digits" replay hash.scn
printf '\n# expect XX-1\nmodule %s\n' "$good" >expect.scn
bad "nmrcheck: expect.scn:2: what it expects is no verdict and no rule: PASS, OUTSIDE, STEPS, THREADS, MEMORY or a \
rule's name" replay expect.scn
printf 'module %s\n' "$good" >plain.scn
bad "nmrcheck: plain.scn: shows no finding: PASS" shrink plain.scn
bad "nmrcheck: plain.scn: shows no finding: PASS" keep --corpus corpus2 plain.scn
[ ! -e corpus2 ] || fail "keep made a folder for nothing"
expect 2 replay --bless finding.bin
[ "$(cat err)" = "nmrcheck: finding.bin: a binary scenario has no place for expectations; nmrcheck show makes it \
text" ] || fail "blessing a binary scenario"

# ---- one bad file among good ones: told about, the others are replayed
mkdir mixed
cp plain.scn mixed/a.scn
cp site.scn mixed/b.scn
cp plain.scn mixed/c.scn
expect 2 replay mixed
[ "$(grep -c PASS out)" -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] || fail "a folder with one bad file"
rm mixed/b.scn
ln -s a.scn mixed/b.scn
expect 0 replay mixed
[ "$(grep -c PASS out)" -eq 3 ] || fail "a link in a folder is left out"
ln -sf nowhere mixed/b.scn
expect 2 replay mixed
[ "$(cat err)" = "nmrcheck: mixed/b.scn: No such file or directory" ] || fail "a link that leads nowhere"

# ---- where nothing can be written
full() {
    local line=$1 got=0
    shift
    tests=$((tests + 1))
    "$nmrcheck" "$@" >/dev/full 2>err || got=$?
    [ "$got" -eq 2 ] && [ "$(cat err)" = "$line" ] || fail "nmrcheck $* on a full disk: exit code $got"
}
: >out
if [ -c /dev/full ]; then
    full "nmrcheck: standard output: No space left on device" show "$scn"
    full "nmrcheck: standard output: No space left on device" list
    full "nmrcheck: standard output: No space left on device" replay --json "$scn"
    bad "nmrcheck: /dev/full: No space left on device" show "$scn" -o /dev/full
    bad "nmrcheck: /dev/full: No space left on device" shrink "$scn" -o /dev/full
fi
bad "nmrcheck: nowhere/x.scn: No such file or directory" show "$scn" -o nowhere/x.scn
printf 'a file\n' >file
bad "nmrcheck: file/below: Not a directory" check "$good" --out file/below

# A size limit stands for a disk that fills up in the middle: the old file must survive, no part of a new one.
awk -v module="$good" 'BEGIN {
    print "module " module
    for (i = 1; i <= 200; i++) print "fault t1 at ExAllocatePool #" i " = fail"
}' >long.scn
printf 'old\n' >target.scn
got=0
(ulimit -f 1; export LLVM_PROFILE_FILE=/dev/null; exec "$nmrcheck" show long.scn -o target.scn) >out 2>err || got=$?
[ "$got" -eq 2 ] && [ "$(cat err)" = "nmrcheck: target.scn: File too large" ] || fail "a size limit: exit code $got"
[ "$(cat target.scn)" = old ] || fail "a failed write destroyed the old file"
no_leftovers

# A small disk that is really full, where this user may mount one: old files stay, and no part of a new one is left.
mkdir disk
sed 's/^# hash .*/# hash 0000000000000000/' "$scn" >other.scn
if unshare -rm mount -t tmpfs -o size=64k none disk 2>err; then
    tests=$((tests + 7))
    unshare -rm bash -eu -c '
        nmrcheck=$1 scn=$2 mutant=$3 good=$4
        mount -t tmpfs -o size=64k none disk
        cp other.scn disk/old.scn
        cat /dev/zero 2>/dev/null >disk/fill || true
        full() {
            got=0
            "$nmrcheck" "$@" >out 2>err || got=$?
            [ "$got" -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] &&
                grep -q "^nmrcheck: disk/.*: No space left on device$" err ||
                { echo "nmrcheck $*: exit code $got"; cat err; exit 1; }
        }
        full show "$scn" -o disk/new.scn
        full shrink "$scn" -o disk/new.scn
        full keep "$scn" --corpus disk/corpus
        full replay --bless disk/old.scn
        full explore "$mutant" --executions 2000 --out disk/out
        full check "$good" --executions 100 --time 2 --out disk/out
        full hash "$good" --executions 2 --write disk/scenarios
        [ "$(find disk -type f | sort | tr "\n" " ")" = "disk/fill disk/old.scn " ] && cmp -s other.scn disk/old.scn ||
            { echo "left on a full disk:"; find disk -type f; exit 1; }
    ' - "$nmrcheck" "$scn" "$mutant" "$good" >said 2>&1 || { cat said >&2; fail "on a full disk"; }
fi

# ---- Ctrl-C: a summary, no half-written file.  (Background jobs of a shell ignore SIGINT; SIGTERM does the same.)
"$nmrcheck" check "$good" --preemptions 50 --deviations 50 --time 100 --out interrupted >out 2>err &
pid=$!
sleep 1
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
tests=$((tests + 1))
[ "$got" -eq 0 ] || fail "an interrupted check: exit code $got"
says "(interrupted)"
[ -s interrupted/summary.json ] || fail "an interrupted check wrote no summary"
no_leftovers

printf 'test_cli.sh: %d invocations as expected\n' "$tests"
