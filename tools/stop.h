/* SPDX-License-Identifier: MIT */
/* stop.h - whether SIGINT or SIGTERM has come. */
#ifndef STOP_H
#define STOP_H

/* From now on the first signal is noted; a second one ends the program at once. */
void stop_catch(void);
int stop_asked(void);

#endif
