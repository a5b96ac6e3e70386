/* setups.h - making the setups of world.h for a module. */
#ifndef MODEL_SETUPS_H
#define MODEL_SETUPS_H

/* For a module with so many faces and entry points.  When there are more faces than counterparts, each script becomes
 * one setup for so many at a time; the plain run has them all. */
void setups_make(unsigned faces, unsigned entries);

#endif
