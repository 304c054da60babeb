/* What a process on this machine uses, as /proc tells it: of the server under load (processor
 * time and memory), and of the generator itself. */
#ifndef PROCESS_H
#define PROCESS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Seconds of processor time; 0 if there is no such process. */
static double process_seconds(int pid) {
    char path[64], text[1024];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *after = strrchr(text, ')'); /* its name may hold anything */
    if (after)
        sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

/* A line of /proc/PID/status that is in kB: VmRSS, its memory now, or VmHWM, the most it was. */
static long process_memory(int pid, const char *key) {
    char path[64], text[256];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(text, sizeof text, file))
        if (!strncmp(text, key, strlen(key))) kilobytes = atol(text + strlen(key) + 1);
    fclose(file);
    return kilobytes;
}

/* Let VmHWM begin again from now.  Where that is not allowed it keeps what it was. */
static void process_forget_peak(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", pid);
    int file = open(path, O_WRONLY);
    if (file < 0) return;
    ssize_t done = write(file, "5", 1);
    (void)done;
    close(file);
}

static double own_seconds(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

#endif
