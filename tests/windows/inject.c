/* inject LIBRARY PROGRAM ARGUMENTS: starts the program suspended, has it load the library, and lets it go on;
 * ends as the program does, or with 125. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

static int failed(const char *what)
{
    fprintf(stderr, "inject: %s: %lu\n", what, GetLastError());
    return 125;
}

int main(int argc, char **argv)
{
    char line[4096] = "";
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD status;
    for (int i = 2; i < argc; i++) {
        strcat(line, i == 2 ? "" : " ");
        strcat(line, argv[i]);
    }
    if (argc < 3 || !CreateProcessA(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &process))
        return failed("CreateProcess");
    size_t size = strlen(argv[1]) + 1;
    void *name = VirtualAllocEx(process.hProcess, NULL, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!name || !WriteProcessMemory(process.hProcess, name, argv[1], size, NULL))
        return failed("WriteProcessMemory");
    FARPROC load = GetProcAddress(GetModuleHandleA("kernel32.dll"), "LoadLibraryA");
    HANDLE thread =
        CreateRemoteThread(process.hProcess, NULL, 0, (LPTHREAD_START_ROUTINE)(void *)load, name, 0, NULL);
    if (!thread || WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0)
        return failed("CreateRemoteThread");
    if (!GetExitCodeThread(thread, &status) || status == 0)
        return failed("LoadLibrary");
    ResumeThread(process.hThread);
    if (WaitForSingleObject(process.hProcess, INFINITE) != WAIT_OBJECT_0 || !GetExitCodeProcess(process.hProcess, &status))
        return failed("WaitForSingleObject");
    return (int)status;
}
