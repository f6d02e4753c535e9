/* launch RECORD LIBRARY PROGRAM NAME ARGUMENTS...
 *
 * Starts a program of its own CPU with a library with hooks as its first import: before any C library, so
 * that no block is older than the hooks. The program is held at its entry until the library has said in its
 * report that it took a C library over; it does not run otherwise. NAME and what follows is its command line,
 * handed on as it stands. RECORD is a file (`-`: standard error) for lines of
 *     refused WHAT CODE      nothing was started, or it was ended before its first instruction
 *     early STATUS           it ended before its first instruction
 *     report TEXT            a line of the library's report, at the program's entry
 *     ended STATUS           and how the program ended
 * The exit status is the program's, or 125. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#if defined __x86_64__
static const unsigned char here[] = { 0xeb, 0xfe }; /* jmp . */
#define AT Rip
#elif defined __i386__
static const unsigned char here[] = { 0xeb, 0xfe };
#define AT Eip
#elif defined __aarch64__
static const unsigned char here[] = { 0, 0, 0, 0x14 }; /* b . */
#define AT Pc
#endif

enum { REFUSED = 125, SCAN = 0x10000 };

static const char *const wanted[] = { "alloc8_hooks", "alloc8_report" }; /* what is imported of the library */
enum { REPORT = 1, WANTED = 2 };

static HANDLE record;
static PROCESS_INFORMATION child;

static void put(const char *what, const char *text, size_t length, unsigned long number, const char *format)
{
    char line[600], code[24];
    DWORD written;
    snprintf(code, sizeof code, format, number);
    snprintf(line, sizeof line, "%s %.*s%s\n", what, (int)(length > 500 ? 500 : length), text, code);
    WriteFile(record, line, (DWORD)strlen(line), &written, NULL);
}

static int refuse(const char *what)
{
    put("refused", what, strlen(what), GetLastError(), " %lu");
    if (child.hProcess != NULL) {
        TerminateProcess(child.hProcess, REFUSED);
        WaitForSingleObject(child.hProcess, INFINITE);
    }
    return REFUSED;
}

/* ---- The command line ---- */

/* The end of a word, as CommandLineToArgvW has it: quotes group, and may be escaped. */
static wchar_t *word_end(wchar_t *at, int is_program)
{
    int quoted = 0, slashes = 0;
    for (; *at != L'\0' && (quoted || (*at != L' ' && *at != L'\t')); at++) {
        if (*at == L'"' && (is_program || slashes % 2 == 0))
            quoted = !quoted;
        slashes = *at == L'\\' ? slashes + 1 : 0;
    }
    return at;
}

/* Takes a word off: a path, which has no quotes inside it. */
static wchar_t *take(wchar_t **line, int is_program)
{
    wchar_t *word = *line, *end = word_end(word, is_program);
    *line = end;
    while (**line == L' ' || **line == L'\t')
        ++*line;
    if (*word == L'"') {
        word++;
        end = end > word && end[-1] == L'"' ? end - 1 : end;
    }
    *end = L'\0';
    return word;
}

/* Wine is given paths of the system below it; its own kernel32 knows what they are called here. */
static wchar_t *own_path(wchar_t *path)
{
    enum { ITS_CHARACTERS = 65010 };
    typedef wchar_t *__cdecl translate(const char *path);
    static char bytes[4 * MAX_PATH * 4];
    translate *wine = (translate *)(uintptr_t)GetProcAddress(GetModuleHandleA("kernel32.dll"), "wine_get_dos_file_name");
    if (path[0] != L'/' || wine == NULL
        || !WideCharToMultiByte(ITS_CHARACTERS, 0, path, -1, bytes, sizeof bytes, NULL, NULL))
        return path;
    wchar_t *translated = wine(bytes);
    return translated == NULL ? path : translated;
}

static int is_ascii(const wchar_t *text)
{
    while (*text > 0 && *text < 0x80)
        text++;
    return *text == L'\0';
}

/* The library's path as tables of imports can have it: in ASCII, which all code pages share. */
static int library_name(const wchar_t *path, char *name, size_t room)
{
    wchar_t full[4 * MAX_PATH], brief[4 * MAX_PATH];
    DWORD length = GetFullPathNameW(path, sizeof full / sizeof *full, full, NULL);
    if (length == 0 || length >= sizeof full / sizeof *full)
        return 0;
    const wchar_t *from = full;
    if (!is_ascii(full)) {
        length = GetShortPathNameW(full, brief, sizeof brief / sizeof *brief);
        if (length == 0 || length >= sizeof brief / sizeof *brief || !is_ascii(brief))
            return 0;
        from = brief;
    }
    size_t i = 0;
    for (; from[i] != L'\0' && i < room - 1; i++)
        name[i] = (char)from[i];
    name[i] = '\0';
    return from[i] == L'\0';
}

/* ---- The process ---- */

static int get(uintptr_t at, void *to, size_t size)
{
    SIZE_T done;
    return ReadProcessMemory(child.hProcess, (void *)at, to, size, &done) && done == size;
}

/* Into memory that may be only read, or executed. */
static int set(uintptr_t at, const void *from, size_t size)
{
    SIZE_T done;
    DWORD before;
    if (!VirtualProtectEx(child.hProcess, (void *)at, size, PAGE_EXECUTE_READWRITE, &before))
        return 0;
    int good = WriteProcessMemory(child.hProcess, (void *)at, from, size, &done) && done == size;
    good &= VirtualProtectEx(child.hProcess, (void *)at, size, before, &before) != 0;
    return good && FlushInstructionCache(child.hProcess, (void *)at, size);
}

/* Where the program is: the process environment block's third word. */
static uintptr_t image_base(void)
{
    struct { uintptr_t status, block, rest[4]; } about;
    typedef long __stdcall query(HANDLE process, int kind, void *about, ULONG size, ULONG *length);
    query *ask = (query *)(uintptr_t)GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtQueryInformationProcess");
    uintptr_t base;
    if (ask == NULL || ask(child.hProcess, 0, &about, sizeof about, NULL) < 0
        || !get(about.block + 2 * sizeof(void *), &base, sizeof base))
        return 0;
    return base;
}

/* Memory after the image, where its tables' 32 bits reach. */
static uintptr_t room_after(uintptr_t base, size_t image, size_t size)
{
    MEMORY_BASIC_INFORMATION about;
    uintptr_t at = (base + image + SCAN - 1) / SCAN * SCAN;
    while (at - base < 0x7fff0000 && VirtualQueryEx(child.hProcess, (void *)at, &about, sizeof about)) {
        uintptr_t end = (uintptr_t)about.BaseAddress + about.RegionSize;
        if (about.State == MEM_FREE && end - at >= size
            && VirtualAllocEx(child.hProcess, (void *)at, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE))
            return at;
        at = (end + SCAN - 1) / SCAN * SCAN;
        if (end == 0 || at < end)
            return 0;
    }
    return 0;
}

/* What is put beside the image: slots, the names for them, the library's, and then the table of imports. */
struct added {
    uintptr_t names[WANTED + 1], slots[WANTED + 1];
    struct { WORD hint; char text[30]; } name[WANTED];
    char library[4 * MAX_PATH];
};

/* Makes the library the program's first import; the slots' address, or 0. */
static uintptr_t import(uintptr_t base, uintptr_t headers, IMAGE_NT_HEADERS *nt, const char *library)
{
    static IMAGE_IMPORT_DESCRIPTOR table[SCAN / sizeof(IMAGE_IMPORT_DESCRIPTOR)];
    static struct added added;
    IMAGE_DATA_DIRECTORY *directory = nt->OptionalHeader.DataDirectory;
    uintptr_t old = base + directory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
    const size_t most = sizeof table / sizeof *table - 1;
    size_t count = 1;
    for (; old != base && count < most; count++) {
        if (!get(old + (count - 1) * sizeof *table, &table[count], sizeof *table))
            return 0;
        if (table[count].Name == 0 || table[count].FirstThunk == 0)
            break;
    }
    if (count == most)
        return 0;
    memset(&table[count], 0, sizeof *table);
    const size_t table_size = (count + 1) * sizeof *table;

    uintptr_t at = room_after(base, nt->OptionalHeader.SizeOfImage, sizeof added + table_size);
    if (at == 0)
        return 0;
    const DWORD offset = (DWORD)(at - base);
    for (int i = 0; i < WANTED; i++) {
        strcpy(added.name[i].text, wanted[i]);
        added.names[i] = added.slots[i] = offset + (uintptr_t)((char *)&added.name[i] - (char *)&added);
    }
    strcpy(added.library, library);
    table[0] = (IMAGE_IMPORT_DESCRIPTOR){
        .OriginalFirstThunk = offset + offsetof(struct added, names),
        .Name = offset + offsetof(struct added, library),
        .FirstThunk = offset + offsetof(struct added, slots),
    };
    if (!set(at, &added, sizeof added) || !set(at + sizeof added, table, table_size))
        return 0;

    directory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress = offset + sizeof added;
    directory[IMAGE_DIRECTORY_ENTRY_IMPORT].Size = (DWORD)table_size;
    /* Addresses that were taken down before would spare the loader the table. */
    memset(&directory[IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT], 0, sizeof *directory);
    if (directory[IMAGE_DIRECTORY_ENTRY_IAT].VirtualAddress == 0) {
        directory[IMAGE_DIRECTORY_ENTRY_IAT].VirtualAddress = offset;
        directory[IMAGE_DIRECTORY_ENTRY_IAT].Size = sizeof added;
    }
    if (!set(headers, nt, sizeof *nt))
        return 0;
    return at + offsetof(struct added, slots);
}

/* Whether the main thread has come to an address; the loader runs in it until then. */
static int has_come(uintptr_t entry)
{
    CONTEXT context;
    memset(&context, 0, sizeof context);
    context.ContextFlags = CONTEXT_CONTROL;
    return GetThreadContext(child.hThread, &context) && context.AT == entry;
}

/* Holds the program at its entry; 0 if it ended before. */
static int hold(uintptr_t entry)
{
    for (;;) {
        ResumeThread(child.hThread);
        if (WaitForSingleObject(child.hProcess, 1) == WAIT_OBJECT_0)
            return 0;
        SuspendThread(child.hThread);
        if (has_come(entry))
            return 1;
    }
}

/* Writes the library's report down; whether it says that a C library was taken over. */
static int hooked(uintptr_t slots)
{
    static char report[2048];
    uintptr_t at;
    if (!get(slots + REPORT * sizeof at, &at, sizeof at) || !get(at, report, sizeof report))
        return 0;
    report[sizeof report - 1] = '\0';
    for (const char *line = report; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        put("report", line, length, 0, "");
        line += length + (line[length] == '\n');
    }
    return strstr(report, " functions\n") != NULL;
}

/* Ctrl-C is for the program: it reaches all on a console, and who waits for the program goes on waiting. */
static BOOL WINAPI left_to_the_program(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

static int launch(const wchar_t *program, wchar_t *line, const char *library)
{
    STARTUPINFOW startup;
    IMAGE_DOS_HEADER dos;
    IMAGE_NT_HEADERS nt;
    unsigned char first[sizeof here];
    GetStartupInfoW(&startup);
    SetConsoleCtrlHandler(left_to_the_program, TRUE);
    if (!CreateProcessW(program, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &child))
        return refuse("CreateProcess");
    uintptr_t base = image_base();
    if (base == 0 || !get(base, &dos, sizeof dos) || !get(base + (uintptr_t)dos.e_lfanew, &nt, sizeof nt))
        return refuse("reading the program's headers");
    if (nt.Signature != IMAGE_NT_SIGNATURE || nt.OptionalHeader.Magic != IMAGE_NT_OPTIONAL_HDR_MAGIC)
        return refuse("a program for another CPU");
    uintptr_t entry = base + nt.OptionalHeader.AddressOfEntryPoint;
    uintptr_t slots = import(base, base + (uintptr_t)dos.e_lfanew, &nt, library);
    if (slots == 0)
        return refuse("adding an import");
    if (!get(entry, first, sizeof first) || !set(entry, here, sizeof here))
        return refuse("changing the program's entry");

    DWORD status;
    if (!hold(entry)) {
        GetExitCodeProcess(child.hProcess, &status);
        put("early", "", 0, status, "%lu");
        return REFUSED;
    }
    if (!hooked(slots)) {
        SetLastError(0);
        return refuse("taking a C library over");
    }
    if (!set(entry, first, sizeof first))
        return refuse("changing the program's entry");
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    if (!GetExitCodeProcess(child.hProcess, &status))
        return refuse("asking how it ended");
    put("ended", "", 0, status, "%lu");
    return (int)status;
}

int main(void)
{
    static char library[4 * MAX_PATH];
    wchar_t *line = GetCommandLineW();
    take(&line, 1);
    const wchar_t *to = take(&line, 0), *path = take(&line, 0);
    wchar_t *program = take(&line, 0);
    record = GetStdHandle(STD_ERROR_HANDLE);
    if (wcscmp(to, L"-") != 0)
        record = CreateFileW(own_path((wchar_t *)to), GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL);
    if (record == INVALID_HANDLE_VALUE)
        return REFUSED;
    if (*line == L'\0') {
        SetLastError(0);
        return refuse("launch RECORD LIBRARY PROGRAM NAME ARGUMENTS...");
    }
    if (!library_name(own_path((wchar_t *)path), library, sizeof library))
        return refuse("naming the library in ASCII");
    return launch(own_path(program), line, library);
}
