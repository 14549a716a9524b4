# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# make help lists what can be made.

VERSION := 0.1.0

# --- settings -------------------------------------------------------------------------------
CC      ?= cc
CLANG   ?= clang
LLVM_STRIP ?= llvm-strip
PREFIX  ?= /usr/local
DESTDIR ?=
O       := build
OBJ     := $(O)/obj
BIN     := $(O)/bin

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' '$(1)' '$(2)')

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
	  -Wwrite-strings -Wformat=2 -Wno-unused-parameter $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIC -fvisibility=hidden
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. $(WARN) \
	     $(if $(SAN),-O1 -g -fPIC -fvisibility=hidden -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer,$(CFLAGS) $(HARDEN)) \
	     -ffile-prefix-map=$(CURDIR)=. -MMD -MP
ALL_LDFLAGS = $(if $(SAN),-fsanitize=address$(comma)undefined) -Wl,-z,relro,-z,now $(LDFLAGS)
comma := ,

# --- what is built from what ----------------------------------------------------------------
BTFS_SRC   := fail digest publish view elf need kernel layout archive fetch
BTFGEN_SRC := match minimize tree verify main
SERVER_SRC := main
AGENT_LIB_SRC := provision
AGENT_SRC  := main

BTFS_LIBS   := -lsodium -lcurl -larchive
BTFGEN_LIBS := -lbpf -lelf -lz

# --- rules ----------------------------------------------------------------------------------
all: $(BIN)/btfgen $(BIN)/btf-server $(BIN)/btf-agent
