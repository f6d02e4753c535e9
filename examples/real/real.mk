# What the Makefiles of the four folders share. Each says NAME, and how $(ARCHIVE) is made.
#
#   make                                  # a library to preload, for this machine
#   make TARGET=aarch64-apple-darwin      # a dylib, by zig
#   make TARGET=x86_64-pc-windows-gnu     # a DLL, by MinGW's gcc
#
# CC, CXX, AR and CFLAGS are taken from the command line; ALLOC8_GEN, ALLOC8_ZIG and CARGO from the
# environment too.

HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
SOURCES := $(HERE)/sources
TARGET ?=
ALLOC8_GEN ?= alloc8-gen
ALLOC8_ZIG ?= zig
CARGO ?= cargo
CFLAGS = -O2
# What it is to alloc8-gen, which knows all four.
DESCRIPTION = $(NAME)
OUT = build/$(or $(TARGET),native)
ARCHIVE = $(OUT)/lib$(NAME).a

ifneq ($(filter %-apple-darwin,$(TARGET)),)
SYSTEM = macos
LIBRARY = lib$(NAME)-preload.dylib
ZIG_TARGET = $(TARGET:-apple-darwin=-macos.11.0)
CC = $(ALLOC8_ZIG) cc -target $(ZIG_TARGET) -idirafter $(abspath $(HERE))/zig
CXX = $(ALLOC8_ZIG) c++ -target $(ZIG_TARGET) -idirafter $(abspath $(HERE))/zig
AR = $(ALLOC8_ZIG) ar
PIC =
else ifneq ($(filter %-windows-gnu,$(TARGET)),)
SYSTEM = windows
LIBRARY = $(NAME)-preload.dll
MINGW = $(firstword $(subst -, ,$(TARGET)))-w64-mingw32
CC = $(MINGW)-gcc
CXX = $(MINGW)-g++
AR = $(MINGW)-ar
PIC =
export ALLOC8_MINHOOK ?= $(abspath $(SOURCES))/minhook-sys/minhook
else
SYSTEM = linux
LIBRARY = lib$(NAME)-preload.so
# Initial-exec: other thread-locals may be allocated when they are first used.
PIC = -fPIC -ftls-model=initial-exec
endif

# The tool measures what the archive keeps, compiles the shim, joins the two and reads the result back.
$(OUT)/$(LIBRARY): $(ARCHIVE)
	$(ALLOC8_GEN) build -p $(SYSTEM) $(if $(TARGET),--target $(TARGET)) -a $(DESCRIPTION) --lib $< -o $@

# The compiler and its options are above.
$(ARCHIVE): $(HERE)/real.mk

# The crates, unpacked; built is nothing of them but what the folders' own Makefiles name.
$(SOURCES)/fetched: $(HERE)/Cargo.toml $(HERE)/Cargo.lock
	$(CARGO) vendor --quiet --locked --manifest-path $< $(SOURCES) >/dev/null
	touch $@

clean:
	rm -rf build

.PHONY: clean
.DELETE_ON_ERROR:
