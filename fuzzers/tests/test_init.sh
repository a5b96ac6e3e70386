#!/usr/bin/env bash
# test_init.sh NMRCHECK SCRATCH - nmrcheck init: what it writes for a folder, and what it refuses.
set -eu

nmrcheck=$(realpath "$1")
root=$PWD
mkdir -p "$2"
cd "$2"
find . -mindepth 1 -delete

fail() {
    echo "test_init.sh: $*" >&2
    tail -n +1 out err >&2
    exit 1
}
run() {
    local expected=$1 code=0
    shift
    "$nmrcheck" init "$@" >out 2>err || code=$?
    [ "$code" -eq "$expected" ] || fail "init $*: exit code $code instead of $expected"
}
bad() {
    local line=$1
    shift
    run 2 "$@"
    [ "$(cat err)" = "$line" ] || fail "init $*: not the message '$line'"
    [ ! -s out ] || fail "init $*: something on standard output"
}
has() { grep -qF -- "$2" "$1" || fail "$1 lacks '$2'"; }

# ---- a folder as Visual Studio leaves it
mkdir -p "My Driver/sys" "My Driver/inc" "My Driver/test"
cp "$root/model/modules/exnpi_client_rundown.c" "My Driver/sys/Nmr.c"
cp "$root/model/modules/exnpi.h" "My Driver/inc/ExNpi.h"
echo '#include "other.h"' >"My Driver/sys/unused.c"
echo 'int main(void) { return NmrRegisterClient(); }' >"My Driver/test/test.c"
echo 'class X {};' >"My Driver/test/more.cpp"
cat >"My Driver/sys/my-driver.vcxproj" <<'END'
<Project><ItemGroup><ClCompile Include="nmr.C" /><ClCompile Include="..\test\absent.c" /></ItemGroup>
<ItemDefinitionGroup Condition="'$(Configuration)'=='Debug'"><ClCompile>
  <AdditionalIncludeDirectories>$(ProjectDir)..\inc;$(DDK_INC_PATH);%(Others)</AdditionalIncludeDirectories>
  <PreprocessorDefinitions>_AMD64_;DBG=1;NAME=&quot;a b&quot;;%(PreprocessorDefinitions)</PreprocessorDefinitions>
</ClCompile></ItemDefinitionGroup>
<ItemDefinitionGroup><ClCompile>
  <PreprocessorDefinitions>DBG=0</PreprocessorDefinitions>
</ClCompile></ItemDefinitionGroup>
</Project>
END
run 0 "My Driver"
out="My Driver/nmrcheck"
cat >expected <<'END'
cmake_minimum_required(VERSION 3.25)
project(my_driver_nmrcheck C)
enable_testing()
find_package(nmrcheck REQUIRED)
nmrcheck_add_module(NAME my_driver ROLE client NPI npi.c
    SOURCES ../sys/Nmr.c
    INCLUDES ../sys ../inc include
    DEFINES DBG=1 "NAME=\"a b\"")
END
diff expected "$out/CMakeLists.txt" || fail "another CMakeLists.txt"
has "$out/npi.c" '#include "exnpi.h"'
has "$out/npi.c" '{"indicate", NPI_OFFSET(EXNPI_CLIENT_DISPATCH, Indicate), .arguments = {NPI_CONTEXT, NPI_VALUE(1)}},'
has "$out/npi.c" '{"request", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, Request)},'
has "$out/npi.c" '.name = "EXNPI", .id = &EXNPI_NPIID,'
has out 'client of EXNPI_NPIID'
has "$out/include/exnpi.h" '#include "../../inc/ExNpi.h"'
has out 'include/: 1 header such as exnpi.h'
has out '1 C++ file, such as test/more.cpp'

# ---- what npi.c names comes from headers that the registering file does not include
mkdir -p apart
cp "$root/model/modules/exnpi.h" apart/exnpi.h
cat >apart/ids.h <<'END'
#include <stdbool.h>
__declspec(selectany) GUID APART_NPIID = {1, 2, 3, {4}};
END
cat >apart/register.c <<'END'
NTSTATUS ApartRegister(PARAMETERS *p) {
    c.ClientAttachProvider = _Attach;
    c.ClientRegistrationInstance.NpiId = &APART_NPIID;
    return NmrRegisterClient(&c, NULL, &handle); }
END
echo '#include "ids.h"' >apart/other.c
cat >apart/table.h <<'END'
typedef struct { void (*Version)(_Out_ VERSION *Version); int (*Go)(void *Context); } APART_PROVIDER_DISPATCH;
END
cat >apart/provide.c <<'END'
#include "table.h"
static APART_PROVIDER_DISPATCH Table;
static NTSTATUS AttachClient(HANDLE h, PVOID c, PNPI_REGISTRATION_INSTANCE i, PVOID t, const void *d, PVOID *o,
    const void **Ours) { *Ours = &Table; return 0; }
NTSTATUS ApartProvide(void) {
    p.ProviderAttachClient = AttachClient;
    p.ProviderRegistrationInstance.NpiId = &APART_NPIID;
    return NmrRegisterProvider(&p, NULL, &handle); }
END
run 0 apart
has apart/nmrcheck/npi.c 'NPI_OFFSET(APART_PROVIDER_DISPATCH, Version), .flags = NPI_NEVER'
has apart/nmrcheck/npi.c 'NPI_OFFSET(APART_PROVIDER_DISPATCH, Go), .flags = NPI_VOID, .arguments = {NPI_CONTEXT}'
has apart/nmrcheck/npi.c '#include "ids.h"'
! grep -q missing out || fail "headers of the compiler are missing"

# ---- nothing is overwritten unless asked
echo mine >"$out/npi.c"
rm "$out/CMakeLists.txt"
bad "nmrcheck: $PWD/$out/npi.c: is there already; --force overwrites it" "My Driver"
[ ! -e "$out/CMakeLists.txt" ] || fail "one of two files was written"
run 0 --force --name 7up "My Driver"
has "$out/CMakeLists.txt" 'NAME _7up '
[ "$(cat "$out/npi.c")" != mine ] || fail "--force did not overwrite"
run 0 --out elsewhere "My Driver"
has elsewhere/CMakeLists.txt '"../My Driver/sys/Nmr.c"'
[ "$(find . -name '*.tmp*' | wc -l)" -eq 0 ] || fail "temporary files are left"

# ---- a `sources` file; no DriverEntry; a header that nobody has
mkdir -p old/sub
printf 'TARGETNAME=old\nC_DEFINES=-DA=1 /DB\nINCLUDES=sub;$(DDK)\\inc\nSOURCES=one.c \\\n  sub\\two.c\n' >old/sources
cat >old/one.c <<'END'
#include <ntddk.h>
#include <fwpsk.h>
#include <stdint.h>
static VOID Undo(VOID) { NmrDeregisterProvider(H); }
static NTSTATUS Register(VOID) { long x = NmrRegisterProvider(&C, NULL, &H); if (x) Undo(); return x; }
NTSTATUS ModuleStart(VOID) { return Register(); }
VOID ModuleStop(VOID) { Undo(); }
END
echo 'NTSTATUS Open(PVOID File) { return 0; }' >old/sub/two.c
run 0 old
has old/nmrcheck/CMakeLists.txt 'NAME old NPI npi.c INIT ModuleStart EXIT ModuleStop'
has old/nmrcheck/CMakeLists.txt 'SOURCES ../one.c ../sub/two.c'
has old/nmrcheck/CMakeLists.txt 'DEFINES A=1 B)'
has old/nmrcheck/npi.c '{ return Open(PVOID File); }'
has out 'missing  fwpsk.h (one.c:2): neither below the folder'
! grep -q 'stdint.h' out || fail "a header that compilers bring is called missing"

# ---- a provider that looks at the characteristics of its clients
mkdir provider
cp "$root/model/modules/exnpi_immediate.c" "$root/model/modules/exnpi.h" provider
run 0 provider
has provider/nmrcheck/npi.c '= {.Version = 1, .Length = sizeof(EXNPI_CLIENT_CHARACTERISTICS)};'
has provider/nmrcheck/npi.c 'NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, Request), .arguments = {NPI_CONTEXT, NPI_VALUE(1)}},'
has provider/nmrcheck/npi.c '/* NPI_ENDS_CALL? IndicateComplete('
has provider/nmrcheck/npi.c '.characteristics = {"", 1},         /* the driver'
has provider/nmrcheck/CMakeLists.txt 'ROLE provider'

# ---- what is refused: one line
bad "nmrcheck: absent: No such file or directory" absent
bad "nmrcheck: expected: not a folder" expected
mkdir empty cxx
bad "nmrcheck: empty: no C source files" empty
echo 'class X;' >cxx/driver.cpp
bad "nmrcheck: cxx: 1 C++ files, such as driver.cpp, and no C: nmrcheck compiles C" cxx
mkdir two
for name in a b; do echo 'NTSTATUS DriverEntry(PVOID A, PVOID B) { return 0; }' >two/$name.c; done
bad "nmrcheck: two: DriverEntry in a.c and in b.c: name the folder of one driver" two
[ ! -e two/nmrcheck ] || fail "something was written for a folder that is refused"

# ---- odd files do no harm
mkdir odd
head -c 20000 "$nmrcheck" >odd/a.c
head -c 20000 "$nmrcheck" >odd/sources
printf '<ClCompile Include="' >odd/x.vcxproj
printf '#include "' >odd/b.c
ln -s . odd/loop
run 0 odd
