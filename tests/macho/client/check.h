// Checks, named after the law that they check.
#pragma once
#include "darwin.h"

void check(bool holds, const char *law);
extern const char *expected;          // the name of the zone that malloc must take from
const char *owner(const void *block); // the name of a block's zone, "none" for none
struct zone *expected_zone(void);     // NULL: no such zone is registered
bool ours(const void *block);         // it is from the expected zone
bool filled(const char *block, char with, size_t size);
unsigned all_zones(struct zone ***zones);

void plain_laws(void);
void zone_laws(void);
void slot_laws(void);
void foreign_laws(void);
void enumerator_laws(void);
void thread_laws(void);
void fork_laws(void);
void typed_laws(bool present);
void late_laws(const char *library);
