"""nmrcheck's commands for gdb.

Part of the program, which starts gdb with it: nmrcheck replay --gdb FILE.  See nmrcheck_gdb.c.
"""
import os

import gdb

# What fiber_switch of harness/fiber.c leaves on a stack: these registers, lowest address first, and its size.
FRAMES = {
    "x86-64": ("r15 r14 r13 r12 rbx rbp pc".split(), 56),
    "aarch64": ("x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 pc".split(), 160),
}


def number(expression):
    return int(gdb.parse_and_eval("(unsigned long)(%s)" % expression))


def set_registers(values):
    """Returns what they were."""
    gdb.newest_frame().select()
    old = {name: number("$" + name) for name in values}
    for name, value in values.items():
        gdb.execute("set $%s = %d" % (name, value))
    return old


def select_level(level):
    frame = gdb.newest_frame()
    while frame.level() < level:
        frame = frame.older()
    frame.select()


def ask(expression):
    """Let the program evaluate this, on a stack of its own; the selected frame stays."""
    level = gdb.selected_frame().level()
    old = set_registers({"sp": number("&gdb_call_stack[sizeof gdb_call_stack - 16]")})
    try:
        gdb.flush()
        return gdb.parse_and_eval(expression)
    finally:
        set_registers(old)
        select_level(level)


def is_ours(frame):
    """Not a line of the module: one of our folders, or no line at all."""
    root = os.path.dirname(os.path.dirname(gdb.lookup_global_symbol("gdb_stopped").symtab.fullname()))
    place = frame.find_sal().symtab
    if place is None:
        return True
    name = os.path.relpath(place.fullname(), root)
    return name.startswith(("harness/", "reports/", "fuzzers/", "model/")) and not name.startswith("model/modules/")


def module_frame():
    """The innermost frame of the module, or None."""
    frame = gdb.newest_frame()
    while frame is not None and is_ours(frame):
        frame = frame.older()
    return frame


def select_module_frame():
    frame = module_frame()
    if frame is None:
        print("this thread is in no function of the module")
    else:
        frame.select()
        gdb.execute("frame")


class Threads:
    """Which simulated thread's registers gdb shows."""

    home = None                             # the running thread's, while another one is shown
    shown = None                            # its number

    def running(self):
        return number("sched_current")

    def back(self):
        if self.home is not None:
            set_registers(self.home)
        self.home = self.shown = None

    def show(self, thread):
        self.back()
        if thread == self.running():
            return
        kind = ask("gdb_context_kind()").string()
        if kind not in FRAMES:
            raise gdb.GdbError("the stacks of %s threads are not known" % kind)
        names, size = FRAMES[kind]
        context = int(ask("(unsigned long)gdb_context(%d)" % thread))
        words = {name: number("*(unsigned long *)%d" % (context + 8 * i)) for i, name in enumerate(names)}
        words["sp"] = context + size
        self.home = set_registers(words)
        self.shown = thread


threads = Threads()


def line_of(thread):
    return ask("gdb_tell_thread(%d)" % thread).string()


def find_thread(name):
    for thread in range(number("(int)THREADS_MAX")):
        line = line_of(thread)
        if line and name == line.split()[0]:
            return thread
    raise gdb.GdbError("no thread '%s'; nmrcheck threads lists them" % name)


class Nmrcheck(gdb.Command):
    """The simulated threads, the pool and NMR of a replay."""

    def __init__(self):
        super().__init__("nmrcheck", gdb.COMMAND_DATA, prefix=True)


class Start(gdb.Command):
    """Run up to the step, or to the return of the function that is called there, and select the module's frame."""

    def __init__(self):
        super().__init__("nmrcheck start", gdb.COMMAND_RUNNING)

    def go(self, command, places):
        """Run until one of these places; what gdb says of it."""
        stops = [gdb.Breakpoint(place, internal=True) for place in places]
        for stop in stops:
            stop.silent = True
        said = gdb.execute(command, to_string=True)
        for stop in stops:
            stop.delete()
        return said

    def to_return(self, function):
        """Run to the return of this call, where the function's last line is still to be seen."""
        said = self.go("continue", ["*%d" % function])
        frame = gdb.newest_frame()
        if frame.pc() != function:
            return said
        block = frame.block()
        while block.function is None:
            block = block.superblock
        code = frame.architecture().disassemble(block.start, block.end - 1)
        ends = ["*%d if $sp == %d" % (i["addr"], number("$sp")) for i in code if i["asm"].startswith("ret")]
        return self.go("continue", ends)

    def invoke(self, argument, from_tty):
        gdb.execute("set pagination off")
        gdb.execute("set print inferior-events off")
        said = self.go("run", ["gdb_stopped"])
        if argument and gdb.selected_inferior().pid:
            said += self.to_return(int(ask("(unsigned long)gdb_callee()")))
        gdb.execute("set pagination on")
        if not gdb.selected_inferior().pid:
            raise gdb.GdbError("the replay ended before that step")
        print("".join(line for line in said.splitlines(True) if "received signal" in line), end="")
        select_module_frame()
        print("nmrcheck threads, thread, pool, nmr, story: help nmrcheck tells more")


class List(gdb.Command):
    """List the simulated threads: what each is in, and its line of the module.  * marks the one that is shown."""

    def __init__(self):
        super().__init__("nmrcheck threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        level, shown = gdb.selected_frame().level(), threads.shown
        current = threads.running() if shown is None else shown
        for thread in range(number("(int)THREADS_MAX")):
            line = line_of(thread)
            if not line:
                continue
            threads.show(thread)
            frame = module_frame()
            print("%s %s" % ("*" if thread == current else " ", line.rstrip()))
            if frame is not None:
                sal = frame.find_sal()
                print("%7s%s () at %s:%d" % ("", frame.name(), sal.symtab.filename, sal.line))
        threads.show(current)
        select_level(level)


class Thread(gdb.Command):
    """nmrcheck thread NAME: show the stack of this simulated thread (t1, w0): bt, up, print work there.
Without NAME, and before the program runs on: back to the running one."""

    def __init__(self):
        super().__init__("nmrcheck thread", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        if argument:
            threads.show(find_thread(argument.strip()))
        elif threads.home is None:
            return
        else:
            threads.back()
        print(line_of(threads.running() if threads.shown is None else threads.shown).rstrip())
        select_module_frame()


class Tell(gdb.Command):
    def __init__(self, name, expression, text):
        self.expression = expression
        self.__doc__ = text
        super().__init__("nmrcheck " + name, gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        ask(self.expression % (argument == "all"))


Nmrcheck()
Start()
List()
Thread()
Tell("pool", "(void)gdb_tell_pool(), %d", "The blocks of the simulated pool: address, state, who allocated it.")
Tell("nmr", "(void)gdb_tell_nmr(), %d", "Registrations and bindings, their states, and how far each side is.")
Tell("story", "(void)gdb_tell_story(%d)", "What happened so far; nmrcheck story all: every event.")
for command in "continue step next stepi nexti finish until advance".split():
    gdb.execute("define hook-%s\nnmrcheck thread\nend" % command)
