# cmake -B build-windows -DCMAKE_TOOLCHAIN_FILE=mingw.cmake: MinGW on Linux, whose programs Wine runs.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR wine)
# Nothing of the compiler's own is in libraries that a program has to find.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
