// client ZONE typed|untyped LIBRARY [GROUP…]: what a program can tell of its heap. ZONE is the name of the
// zone that must have what malloc gives; LIBRARY is opened late; laws of the groups are left out.
#include "check.h"

static unsigned checks, failed;
const char *expected;

static void put(const char *text) {
    if (write(1, text, strlen(text)) < 0) _exit(3);
}

static void put_number(unsigned long number) {
    char digits[24], *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    put(at);
}

void check(bool holds, const char *law) {
    checks++;
    if (holds) return;
    failed++;
    put("FAIL ");
    put(law);
    put("\n");
}

unsigned all_zones(struct zone ***zones) {
    uintptr_t *addresses = NULL;
    unsigned count = 0;
    if (malloc_get_all_zones(0, NULL, &addresses, &count) != 0) return 0;
    *zones = (struct zone **)addresses;
    return count;
}

// The system's default zone is in no list: it stands for the first that is.
const char *owner(const void *block) {
    struct zone *zone = malloc_zone_from_ptr(block), **zones;
    if (!zone) return "none";
    unsigned count = all_zones(&zones);
    bool listed = false;
    for (unsigned i = 0; i < count; i++) listed |= zones[i] == zone;
    const char *name = malloc_get_zone_name(zone);
    return !listed && count && strcmp(name, "DefaultMallocZone") == 0 ? malloc_get_zone_name(zones[0]) : name;
}

bool ours(const void *block) {
    return block && strcmp(owner(block), expected) == 0;
}

struct zone *expected_zone(void) {
    struct zone **zones;
    unsigned count = all_zones(&zones);
    for (unsigned i = 0; i < count; i++)
        if (zones[i]->name && strcmp(zones[i]->name, expected) == 0) return zones[i];
    return NULL;
}

bool filled(const char *block, char with, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (block[i] != with) return false;
    return true;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*laws)(void);
    } groups[] = {
        {"plain", plain_laws},
        {"zones", zone_laws},
        {"slots", slot_laws},
        {"foreign", foreign_laws},
        {"enumerator", enumerator_laws},
        {"threads", thread_laws},
        {"fork", fork_laws},
    };
    if (argc < 4) return 2;
    expected = argv[1];
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        bool left_out = false;
        for (int k = 4; k < argc; k++) left_out |= strcmp(argv[k], groups[i].name) == 0;
        if (!left_out) groups[i].laws();
    }
    typed_laws(strcmp(argv[2], "typed") == 0);
    late_laws(argv[3]);
    put("client: ");
    put_number(checks);
    put(" checks, ");
    put_number(failed);
    put(" failed\n");
    return failed != 0;
}
