/*
 * format.c - the kernel's formatted printing.
 *
 * Not the C library's: in driver code `long` and %ld have 32 bits, %S and %wZ exist, characters may be wide.
 */
#include "internal.h"

#include <ntddk.h>
#include <ntstrsafe.h>

struct sink {
    bool wide;
    void *to;
    size_t room, length;                    /* in characters; length counts what did not fit too */
};

struct directive {
    bool left, zero, plus, space, alternative;
    size_t width, precision;
    bool has_precision;
    enum { SIZE_INT, SIZE_SHORT, SIZE_CHAR, SIZE_64, SIZE_WIDE } size;
};

/* What is wrong with the memory was told before; when nobody ended the execution it goes on. */
static RAW void put(struct sink *s, unsigned c)
{
    if (s->length < s->room && s->wide)
        ((WCHAR *)s->to)[s->length] = (WCHAR)c;
    else if (s->length < s->room)
        ((char *)s->to)[s->length] = (char)c;
    s->length++;
}

static void pad(struct sink *s, size_t done, size_t width, unsigned c)
{
    for (; done < width; done++)
        put(s, c);
}

static RAW unsigned at(const void *text, bool wide, size_t i)
{
    return wide ? ((const WCHAR *)text)[i] : ((const unsigned char *)text)[i];
}

/* ---- conversions */

static void put_text(struct sink *s, const struct directive *d, const void *text, bool wide, size_t most,
                     const void *pc)
{
    static const char null[] = "(null)";
    size_t length = 0;

    if (!text) {
        text = null;
        wide = false;
        most = sizeof null - 1;
    }
    if (d->has_precision && d->precision < most)
        most = d->precision;
    while (length < most) {
        if (text != null)
            memory_use((const char *)text + length * (wide ? 2 : 1), wide ? 2 : 1, false, pc);
        if (!at(text, wide, length))
            break;
        length++;
    }
    if (!d->left)
        pad(s, length, d->width, ' ');
    for (size_t i = 0; i < length; i++)
        put(s, at(text, wide, i));
    if (d->left)
        pad(s, length, d->width, ' ');
}

static void put_number(struct sink *s, const struct directive *d, uint64_t value, unsigned base, bool upper,
                       const char *sign)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    size_t n = 0, signs = 0, least = d->has_precision ? d->precision : 1;

    for (; value; value /= base)
        text[n++] = digits[value % base];
    while (sign[signs])
        signs++;
    if (least < n)
        least = n;
    if (d->zero && !d->left && !d->has_precision && least + signs < d->width)
        least = d->width - signs;
    if (!d->left)
        pad(s, least + signs, d->width, ' ');
    for (size_t i = 0; i < signs; i++)
        put(s, (unsigned char)sign[i]);
    pad(s, n, least, '0');
    for (size_t i = n; i-- > 0;)
        put(s, (unsigned char)text[i]);
    if (d->left)
        pad(s, least + signs, d->width, ' ');
}

static int64_t next_signed(const struct directive *d, va_list *arguments)
{
    switch (d->size) {
    case SIZE_64:
        return va_arg(*arguments, int64_t);
    case SIZE_SHORT:
        return (short)va_arg(*arguments, int);
    case SIZE_CHAR:
        return (signed char)va_arg(*arguments, int);
    default:
        return va_arg(*arguments, int);
    }
}

static uint64_t next_unsigned(const struct directive *d, va_list *arguments)
{
    uint64_t value = (uint64_t)next_signed(d, arguments);

    switch (d->size) {
    case SIZE_64:
        return value;
    case SIZE_SHORT:
        return (uint16_t)value;
    case SIZE_CHAR:
        return (uint8_t)value;
    default:
        return (uint32_t)value;
    }
}

static void put_signed(struct sink *s, const struct directive *d, int64_t value)
{
    const char *sign = value < 0 ? "-" : d->plus ? "+" : d->space ? " " : "";

    put_number(s, d, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false, sign);
}

static void put_unsigned(struct sink *s, const struct directive *d, unsigned conversion, uint64_t value)
{
    unsigned base = conversion == 'u' ? 10 : conversion == 'o' ? 8 : 16;
    const char *sign = !d->alternative || base != 16 || !value ? "" : conversion == 'X' ? "0X" : "0x";

    put_number(s, d, value, base, conversion == 'X', sign);
}

static void put_counted(struct sink *s, const struct directive *d, const STRING *string, bool wide, const void *pc)
{
    if (string)
        memory_use(string, sizeof *string, false, pc);
    put_text(s, d, string ? string->Buffer : NULL, wide, string ? string->Length / (wide ? 2u : 1u) : 0, pc);
}

/* ---- directives: %[flags][width][.precision][size]conversion; false for one that it does not know */

static bool put_directive(struct sink *s, struct directive *d, unsigned conversion, va_list *arguments, const void *pc)
{
    bool wide = s->wide != (conversion == 'S' || conversion == 'C');    /* %S and %C: the other kind */
    WCHAR c[2] = {0, 0};

    wide = d->size == SIZE_WIDE || (wide && d->size != SIZE_SHORT);
    switch (conversion) {
    case 'd': case 'i':
        put_signed(s, d, next_signed(d, arguments));
        return true;
    case 'u': case 'o': case 'x': case 'X':
        put_unsigned(s, d, conversion, next_unsigned(d, arguments));
        return true;
    case 'p':
        d->has_precision = true;
        d->precision = 2 * sizeof(void *);
        put_unsigned(s, d, 'X', (uint64_t)(uintptr_t)va_arg(*arguments, void *));
        return true;
    case 'c': case 'C':
        c[0] = (WCHAR)(wide ? va_arg(*arguments, int) & 0xFFFF : va_arg(*arguments, int) & 0xFF);
        put_text(s, d, c, true, 1, pc);
        return true;
    case 's': case 'S':
        put_text(s, d, va_arg(*arguments, const void *), wide, SIZE_MAX, pc);
        return true;
    case 'Z':
        put_counted(s, d, va_arg(*arguments, const STRING *), d->size == SIZE_WIDE, pc);
        return true;
    case '%':
        put(s, '%');
        return true;
    default:
        return false;
    }
}

struct cursor { const void *text; bool wide; size_t i; };

static unsigned peek(const struct cursor *f)
{
    return at(f->text, f->wide, f->i);
}

static bool skip(struct cursor *f, unsigned c)
{
    if (peek(f) != c)
        return false;
    f->i++;
    return true;
}

static void read_flags(struct cursor *f, struct directive *d)
{
    while (1) {
        if (skip(f, '-'))
            d->left = true;
        else if (skip(f, '0'))
            d->zero = true;
        else if (skip(f, '+'))
            d->plus = true;
        else if (skip(f, ' '))
            d->space = true;
        else if (skip(f, '#'))
            d->alternative = true;
        else
            return;
    }
}

/* A number, or one of the arguments; `negative` takes the sign of that. */
static size_t read_count(struct cursor *f, va_list *arguments, bool *negative)
{
    size_t n = 0;

    *negative = false;
    if (skip(f, '*')) {
        int64_t value = va_arg(*arguments, int);

        *negative = value < 0;
        return (size_t)(value < 0 ? -value : value);
    }
    while (peek(f) >= '0' && peek(f) <= '9')
        n = 10 * n + peek(f) - '0', f->i++;
    return n;
}

/* Documented: l is 32 bits for numbers and wide for text, h narrow for text; I64, ll, I, z and t are 64 bits. */
static void read_size(struct cursor *f, struct directive *d)
{
    if (skip(f, 'h')) {
        d->size = skip(f, 'h') ? SIZE_CHAR : SIZE_SHORT;
    } else if (skip(f, 'l')) {
        d->size = skip(f, 'l') ? SIZE_64 : SIZE_WIDE;
    } else if (skip(f, 'w')) {
        d->size = SIZE_WIDE;
    } else if (skip(f, 'I')) {
        d->size = SIZE_64;
        if (skip(f, '3') && skip(f, '2'))
            d->size = SIZE_INT;
        else if (skip(f, '6'))
            skip(f, '4');
    } else if (skip(f, 'z') || skip(f, 't') || skip(f, 'j')) {
        d->size = SIZE_64;
    }
}

static void read_directive(struct cursor *f, struct directive *d, va_list *arguments)
{
    bool negative;

    read_flags(f, d);
    d->width = read_count(f, arguments, &negative);
    d->left |= negative;
    if (skip(f, '.')) {
        d->precision = read_count(f, arguments, &negative);
        d->has_precision = !negative;
    }
    read_size(f, d);
}

static int format(struct sink *s, const void *text, va_list arguments, const void *pc)
{
    struct cursor f = {text, s->wide, 0};
    va_list rest;
    bool fine = true;

    if (s->room)
        memory_use(s->to, s->room * (s->wide ? 2 : 1), true, pc);
    va_copy(rest, arguments);
    while (fine && peek(&f)) {
        struct directive d = {0};

        if (!skip(&f, '%')) {
            put(s, peek(&f));
            f.i++;
            continue;
        }
        read_directive(&f, &d, &rest);
        fine = put_directive(s, &d, peek(&f), &rest, pc);
        f.i += fine;
    }
    va_end(rest);
    if (s->length < s->room)
        s->wide ? (void)(((WCHAR *)s->to)[s->length] = 0) : (void)(((char *)s->to)[s->length] = 0);
    if (!s->to && !s->room)
        return fine ? (int)s->length : -1;
    return !fine || s->length > s->room ? -1 : (int)s->length;
}

/*
 * _vsnprintf, _snprintf, _vsnwprintf, _snwprintf (what ntstrsafe.h is made of)
 *
 * Caller      module; PASSIVE_LEVEL for the wide ones, and for all when ntstrsafe.h is asked
 * Documented  -1 when it does not fit, the length when Buffer is NULL and Count 0; no terminator when it just fits;
 *             the conversion of wide characters uses paged tables  (RtlStringCchPrintfW)
 * Our reading narrow text at a raised level is fine; a directive of no known kind ends the text, as a failure
 */
int _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Arguments)
{
    struct sink s = {.to = Buffer, .room = Count};

    return format(&s, Format, Arguments, CALLER());
}

int _vsnwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, va_list Arguments)
{
    struct sink s = {.wide = true, .to = Buffer, .room = Count};

    irql_require_max(LEVEL_PASSIVE, CALLER());
    return format(&s, Format, Arguments, CALLER());
}

int _snprintf(char *Buffer, size_t Count, const char *Format, ...)
{
    struct sink s = {.to = Buffer, .room = Count};
    va_list arguments;
    int length;

    va_start(arguments, Format);
    length = format(&s, Format, arguments, CALLER());
    va_end(arguments);
    return length;
}

int _snwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, ...)
{
    struct sink s = {.wide = true, .to = Buffer, .room = Count};
    va_list arguments;
    int length;

    irql_require_max(LEVEL_PASSIVE, CALLER());
    va_start(arguments, Format);
    length = format(&s, Format, arguments, CALLER());
    va_end(arguments);
    return length;
}
