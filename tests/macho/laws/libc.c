// What the laws call of libSystem and the loader does not have: a printf for their messages, and nothing for
// their clocks, which watch for what hangs: whoever runs them does that.
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct text {
    char *at;
    size_t room, length;
};

static void put(struct text *text, char c) {
    if (text->length + 1 < text->room) text->at[text->length] = c;
    text->length++;
}

static void put_string(struct text *text, const char *string, size_t most) {
    for (size_t i = 0; i < most && string[i]; i++) put(text, string[i]);
}

static void put_number(struct text *text, unsigned long long number, unsigned base) {
    char digits[24], *digit = digits + sizeof digits - 1;
    *digit = 0;
    do *--digit = "0123456789abcdef"[number % base];
    while (number /= base);
    put_string(text, digit, sizeof digits);
}

static void put_signed(struct text *text, long long number) {
    if (number < 0) put(text, '-');
    put_number(text, number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number, 10);
}

int vsnprintf(char *to, size_t room, const char *format, va_list arguments) {
    struct text text = {to, room, 0};
    for (; *format; format++) {
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        size_t most = SIZE_MAX;
        int wide = 0;
        for (format++; strchr("#0123456789.*lzj", *format); format++) {
            if (*format == '*') most = (size_t)va_arg(arguments, int);
            wide |= *format == 'l' || *format == 'z' || *format == 'j';
        }
        switch (*format) {
        case 's': put_string(&text, va_arg(arguments, const char *), most); break;
        case 'c': put(&text, (char)va_arg(arguments, int)); break;
        case 'p': put_number(&text, (uintptr_t)va_arg(arguments, void *), 16); break;
        case 'd': put_signed(&text, wide ? va_arg(arguments, long) : va_arg(arguments, int)); break;
        case 'u':
        case 'x':
            put_number(&text, wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned),
                *format == 'x' ? 16 : 10);
            break;
        default: put(&text, *format);
        }
    }
    if (room) to[text.length < room ? text.length : room - 1] = 0;
    return (int)text.length;
}

int snprintf(char *to, size_t room, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    return length;
}

// As Libc's does, it takes the text from the public malloc.
int asprintf(char **to, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    *to = strdup(text);
    return *to ? length : -1;
}

char *strchr(const char *string, int wanted) {
    for (; *string && *string != (char)wanted; string++) {}
    return *string == (char)wanted ? (char *)string : NULL;
}

char *strrchr(const char *string, int wanted) {
    const char *found = NULL;
    for (; *string; string++)
        if (*string == (char)wanted) found = string;
    return (char *)found;
}

unsigned long strtoul(const char *text, char **end, int base) {
    long number = strtol(text, end, base);
    return (unsigned long)number;
}

int nanosleep(const struct timespec *wish, struct timespec *left) {
    (void)left;
    return usleep((useconds_t)(wish->tv_nsec / 1000));
}

int setitimer(int which, const struct itimerval *new, struct itimerval *old) {
    (void)which, (void)new, (void)old;
    return 0;
}

int sigaction(int number, const struct sigaction *new, struct sigaction *old) {
    (void)number, (void)new, (void)old;
    return 0;
}

void (*signal(int number, void (*handler)(int)))(int) {
    (void)number, (void)handler;
    return NULL;
}

int raise(int number) {
    _exit(128 + number);
}

int kill(int process, int number) {
    (void)process, (void)number;
    return -1;
}

int setpriority(int which, id_t who, int priority) {
    (void)which, (void)who, (void)priority;
    return 0;
}

// A waiter wakes up for nothing, and looks again.
int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
    (void)condition, (void)attributes;
    return 0;
}

int pthread_cond_signal(pthread_cond_t *condition) {
    (void)condition;
    return 0;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    (void)condition;
    pthread_mutex_unlock(mutex);
    usleep(100);
    return pthread_mutex_lock(mutex);
}
