/*
 * headers.h
 *
 * #include "Inc\Foo.h" and <NtDDK.h>: on Windows neither the kind of slash nor the case of letters matters.
 *
 * The compiler asks for such a name literally.  So when it did not find one, a file of just that name, in a folder of
 * its own that is searched last, includes the file that was meant.  Files of WPP (*.tmh) that nothing made are empty.
 */
#ifndef NMRCHECK_MSVC_HEADERS_H
#define NMRCHECK_MSVC_HEADERS_H

#include <stdbool.h>

/* The folder to be searched, inside of `folder`: so deep that names with ../ stay inside. */
const char *headers_search(const char *folder);

/*
 * The compiler with these arguments found no `name`, which a line of `includer` includes.  True when it will find it
 * when asked again.
 */
bool headers_provide(const char *folder, const char *name, const char *includer, char *const *arguments);

#endif /* NMRCHECK_MSVC_HEADERS_H */
