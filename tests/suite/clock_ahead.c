/* Lets one process see another time of day: so many seconds ahead as the file CLOCK_AHEAD says. A test preloads it,
 * because the machine's own clock is everybody's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *told)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, told);
    const char *path = getenv("CLOCK_AHEAD");
    FILE *file = failed == 0 && id == CLOCK_REALTIME && path != NULL ? fopen(path, "r") : NULL;
    if (file != NULL) {
        long ahead = 0;
        if (fscanf(file, "%ld", &ahead) == 1)
            told->tv_sec += ahead;
        fclose(file);
    }
    return failed;
}
