#pragma once
typedef long pthread_t;
pthread_t pthread_self(void) __attribute__((const));
