# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# "make help" lists what can be made. Everything lands under build/.

# --- settings -------------------------------------------------------------------------------
VERSION    := 0.1.0
SOVERSION  := 0
CLANG      ?= clang
LLVM_STRIP ?= llvm-strip
OBJCOPY    ?= objcopy
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
FUZZ_SECONDS ?= 30

O   := $(if $(SAN),build/san,build)
OBJ := $(O)/obj
BIN := $(O)/bin
BPF := build/bpf
FUZZ := build/fuzz

comma := ,
Q     := $(if $(V),,@)
say    = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
	  -Wwrite-strings -Wformat=2 -Wno-unused-parameter
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
SANITIZE := -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# With sanitizers gcc sees paths that are none: these warnings count in the other build.
WARN   += $(if $(SAN),-Wno-maybe-uninitialized -Wno-format-truncation,$(if $(CI),-Werror))

# Paths are taken out of debug information, so that two checkouts build identical bytes.
SAME   := -ffile-prefix-map=$(CURDIR)=.
DIALECT := -std=gnu11 -D_GNU_SOURCE -iquote . -DVERSION=\"$(VERSION)\"
ALL_CFLAGS := $(DIALECT) $(WARN) -fPIC -fvisibility=hidden $(SAME) \
	      $(if $(SAN),-O1 -g $(SANITIZE),$(HARDEN) $(CFLAGS))
ALL_LDFLAGS := $(if $(SAN),$(SANITIZE)) -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
BPF_CFLAGS := -g -O2 -target bpf -iquote . $(SAME) -Wall -Wextra -Wno-unused-parameter \
	      -idirafter /usr/include/$(shell uname -m)-linux-gnu $(if $(CI),-Werror)
FUZZ_CFLAGS := $(DIALECT) -O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)

# --- what is built from what ----------------------------------------------------------------
# A room's main.c goes without saying.
BTFS_SRC   := fail text digest publish check view elf object record reloc spec names need \
	      hostfile osrelease kernel layout decoder tar archive fetch index bundle
BTFGEN_SRC := plan relate match closure minimize merge work source scan inputs bulk tree batch \
	      verify audit shelf pack census lint answers coverage \
	      mapping child unpack kernelimage rpmheader package pahole dedup sidecar extract \
	      sources identify flavour ingest repo aptindex yumindex crawl \
	      cmd cmd_progress cmd_min cmd_index cmd_cut cmd_need cmd_verify cmd_list cmd_bundle \
	      cmd_info cmd_lint cmd_diff cmd_coverage cmd_ingest cmd_crawl
SERVER_SRC := request routes tree metrics log door listen pool head http
# The library, and what only btf-agent has.
AGENT_LIB_SRC := accept cache file handover identity place provision source source_bundle source_server
AGENT_SRC  := clock collectors events load load_check options run stream
BPF_SRC    := kernel

UNIT  := $(basename $(notdir $(wildcard tests/unit/*.c)))
FUZZERS := $(filter-out replay,$(basename $(notdir $(wildcard tests/fuzz/*.c))))
SHELL_TESTS := $(wildcard tests/*/*.t)

# --as-needed drops from each program what it does not use.
LIBS := -lbpf -lelf -lz -llzma -lzstd -lsodium -lcurl -larchive -llz4 -ljansson \
	-lexpat -lmicrohttpd -lpthread

PROGRAMS := $(BIN)/btfgen $(BIN)/btfgen-more $(BIN)/btf-server $(BIN)/btf-agent
SONAME   := libbtfdepot.so.$(SOVERSION)
LIBRARY  := $(addprefix $(BIN)/,libbtfdepot.so.$(VERSION) $(SONAME) libbtfdepot.so libbtfdepot.a)
BPF_OBJECTS := $(foreach arch,x86_64 arm64,$(BPF_SRC:%=$(BPF)/%.$(arch).bpf.o))
UNIT_TESTS := $(UNIT:%=$(O)/test/%)
REPLAYS  := $(FUZZERS:%=$(O)/test/replay-%)
AGENT_LIB_OBJECTS := $(AGENT_LIB_SRC:%=$(OBJ)/agent/%.o)

# --- rules ----------------------------------------------------------------------------------
all: $(PROGRAMS) $(LIBRARY) $(BPF_OBJECTS) ## build all (V=1 shows commands, SAN=1: sanitizers)

bpf: $(BPF_OBJECTS)

.PHONY: all bpf check lint bench fuzz demo vm-kernel install clean help deps tests FORCE
.SECONDARY:
.DELETE_ON_ERROR:

# Packages come first, whatever -j says: all that is compiled waits for them.
AFTER_DEPS := $(if $(filter check lint bench fuzz demo deps,$(MAKECMDGOALS)),deps)
deps:
	$(Q)tests/deps.sh build $(filter demo vm-kernel,$(MAKECMDGOALS)) \
		$(if $(filter check lint bench fuzz deps,$(MAKECMDGOALS)),test)

# Changed when compiler or flags change, so that everything is compiled anew.
$(OBJ)/flags: export FLAGS = $(CC) $(ALL_CFLAGS)
$(FUZZ)/obj/flags: export FLAGS = $(CLANG) $(FUZZ_CFLAGS)
$(BPF)/flags: export FLAGS = $(CLANG) $(BPF_CFLAGS)
%/flags: FORCE | $(AFTER_DEPS)
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS" | cmp -s - $@ || printf '%s\n' "$$FLAGS" >$@

$(OBJ)/%.o: %.c $(OBJ)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# It holds the BPF objects.
$(OBJ)/agent/collectors.o $(FUZZ)/obj/agent/collectors.o: agent/collectors.S $(BPF_OBJECTS)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I,$(BPF) -MMD -MP -c -o $@ $<

$(FUZZ)/obj/%.o: %.c $(FUZZ)/obj/flags
	$(call say,CLANG,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(BPF)/%.x86_64.bpf.o: BPF_ARCH := x86
$(BPF)/%.arm64.bpf.o: BPF_ARCH := arm64
define bpf_object
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_$(BPF_ARCH) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@
endef
$(BPF)/%.x86_64.bpf.o: bpf/%.bpf.c $(BPF)/flags
	$(bpf_object)
$(BPF)/%.arm64.bpf.o: bpf/%.bpf.c $(BPF)/flags
	$(bpf_object)

# One archive per room; $(1) is the folder of its objects.
define archives
$(1)/libbtfs.a: $(BTFS_SRC:%=$(1)/btfs/%.o)
$(1)/libbtfgen.a: $(BTFGEN_SRC:%=$(1)/btfgen/%.o)
$(1)/libserver.a: $(SERVER_SRC:%=$(1)/server/%.o)
$(1)/libagent.a: $(patsubst %,$(1)/agent/%.o,$(AGENT_LIB_SRC) $(AGENT_SRC))
endef
$(eval $(call archives,$(OBJ)))
$(eval $(call archives,$(FUZZ)/obj))
# The Makefile, since a list of objects that grew names some that are older than the archive.
%.a: Makefile
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

# cmd_elsewhere.o stands for the commands of btfgen-more: what those need is not linked in then.
$(BIN)/btfgen: $(OBJ)/btfgen/main.o $(OBJ)/btfgen/cmd_elsewhere.o $(OBJ)/libbtfgen.a $(OBJ)/libbtfs.a
$(BIN)/btfgen-more: $(OBJ)/btfgen/main.o $(OBJ)/libbtfgen.a $(OBJ)/libbtfs.a
$(BIN)/btf-server: $(OBJ)/server/main.o $(OBJ)/libserver.a $(OBJ)/libbtfs.a
$(BIN)/btf-agent: $(OBJ)/agent/main.o $(OBJ)/libagent.a $(OBJ)/libbtfs.a
define link
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
endef
$(PROGRAMS):
	$(link)

$(BIN)/libbtfdepot.so.$(VERSION): $(AGENT_LIB_OBJECTS) $(OBJ)/libbtfs.a agent/btfdepot.map
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) $(if $(SAN),,-Wl,-z,defs) \
		-Wl,--version-script,agent/btfdepot.map -o $@ $(filter-out %.map,$^) $(LIBS)
$(BIN)/$(SONAME) $(BIN)/libbtfdepot.so: $(BIN)/libbtfdepot.so.$(VERSION)
	$(Q)ln -sf $(<F) $@

# One object in which only btfdepot__* is still visible: names such as fail stay ours.
$(BIN)/libbtfdepot.a: $(AGENT_LIB_OBJECTS) $(OBJ)/libbtfs.a
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $(OBJ)/libbtfdepot.o $^
	$(Q)$(OBJCOPY) --localize-hidden $(OBJ)/libbtfdepot.o
	$(Q)rm -f $@ && $(AR) rcsD $@ $(OBJ)/libbtfdepot.o

# --- checks ---------------------------------------------------------------------------------
# Unit tests and fuzzers named server-* test that room, the others all the rest: agent and server
# never meet, not even here.
TAP := $(OBJ)/tests/tap.o
REST := libbtfgen.a libagent.a libbtfs.a
$(O)/test/server-%: $(OBJ)/tests/unit/server-%.o $(TAP) $(OBJ)/libserver.a $(OBJ)/libbtfs.a
	$(link)
$(O)/test/%: $(OBJ)/tests/unit/%.o $(TAP) $(addprefix $(OBJ)/,$(REST))
	$(link)
$(O)/test/replay-server-%: $(OBJ)/tests/fuzz/server-%.o $(OBJ)/tests/fuzz/replay.o $(TAP) \
			   $(OBJ)/libserver.a $(OBJ)/libbtfs.a
	$(link)
$(O)/test/replay-%: $(OBJ)/tests/fuzz/%.o $(OBJ)/tests/fuzz/replay.o $(TAP) \
		    $(addprefix $(OBJ)/,$(REST))
	$(link)
tests: $(UNIT_TESTS) $(REPLAYS)

# SUITE picks some of unit, replay, cli and shell, T single programs; UPDATE=1 rewrites the golden
# files of tests/cli.
SUITE ?= unit replay cli shell
TAP_unit   := $(UNIT_TESTS)
TAP_replay := $(REPLAYS)
TAP_cli    := tests/cli/run.sh
TAP_shell  := $(SHELL_TESTS)
T ?= $(foreach suite,$(SUITE),$(TAP_$(suite)))
check: deps all tests ## run the tests; ends in "N passed, N failed, N skipped"
	@O=$(O) CC='$(CC)' CI='$(CI)' UPDATE='$(UPDATE)' PERL5LIB=tests \
		prove --formatter Tally --timer --merge --exec tests/one.sh $(if $(V),-v) $(T)

lint: $(OBJ)/flags all ## check the rules of the code, and what clang-tidy finds
	@O=$(O) CC='$(CC)' CLANG='$(CLANG)' LINT_CFLAGS='$(DIALECT) $(WARN)' \
		LINT_BPF_CFLAGS='$(BPF_CFLAGS) -D__TARGET_ARCH_x86' LISTED='$(LISTED)' V=$(V) \
		LIBRARY='$(AGENT_LIB_OBJECTS) $(BTFS_SRC:%=$(OBJ)/btfs/%.o)' tests/lint.sh
LISTED = $(BTFS_SRC:%=btfs/%.c) $(BTFGEN_SRC:%=btfgen/%.c) $(SERVER_SRC:%=server/%.c) \
	 $(AGENT_LIB_SRC:%=agent/%.c) $(AGENT_SRC:%=agent/%.c) $(BPF_SRC:%=bpf/%.bpf.c) \
	 btfgen/main.c btfgen/cmd_elsewhere.c server/main.c agent/main.c

$(FUZZ)/server-%: $(FUZZ)/obj/tests/fuzz/server-%.o $(FUZZ)/obj/libserver.a $(FUZZ)/obj/libbtfs.a
	$(fuzz_link)
$(FUZZ)/%: $(FUZZ)/obj/tests/fuzz/%.o $(addprefix $(FUZZ)/obj/,$(REST))
	$(fuzz_link)
define fuzz_link
	$(call say,LINK,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer $(SANITIZE) -o $@ $^ -Wl,--as-needed $(LIBS)
endef
fuzz: deps $(FUZZERS:%=$(FUZZ)/%) ## run each fuzzer for FUZZ_SECONDS (30)
	@FUZZ=$(FUZZ) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(FUZZERS)

bench: deps all ## measure, each value beside the peer's
	$(Q)for i in $(wildcard tests/bench/*.sh); do O=$(O) $$i || exit 1; done

demo: all ## watch it work: minimise, serve, fetch, load, events
	$(Q)O=$(O) tests/demo.sh

vm-kernel: deps ## build the kernel without BTF that the VM test boots
	$(Q)tests/vm/build-kernel.sh

# --- install --------------------------------------------------------------------------------
define PC
prefix=$(PREFIX)
libdir=$(LIBDIR)
includedir=$${prefix}/include

Name: btfdepot
Description: BTF for kernels that ship none
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lbtfdepot
Libs.private: $(filter-out -lmicrohttpd -larchive -llz4 -ljansson -lexpat,$(LIBS))
endef
DEST = $(DESTDIR)$(PREFIX)
DESTLIB = $(DESTDIR)$(LIBDIR)
install: export PC_TEXT = $(PC)
install: all ## install below DESTDIR and PREFIX (/usr/local)
	$(Q)install -d $(DEST)/bin $(DEST)/include $(DESTLIB)/pkgconfig $(DESTLIB)/btfdepot \
		$(DEST)/share/man/man1 $(DEST)/share/man/man8
	$(Q)install -m 755 $(PROGRAMS) $(DEST)/bin
	$(Q)install -m 644 agent/btfdepot.h $(DEST)/include
	$(Q)install -m 755 $(BIN)/libbtfdepot.so.$(VERSION) $(DESTLIB)
	$(Q)ln -sf libbtfdepot.so.$(VERSION) $(DESTLIB)/$(SONAME)
	$(Q)ln -sf $(SONAME) $(DESTLIB)/libbtfdepot.so
	$(Q)install -m 644 $(BIN)/libbtfdepot.a $(DESTLIB)
	$(Q)printf '%s\n' "$$PC_TEXT" >$(DESTLIB)/pkgconfig/btfdepot.pc
	$(Q)install -m 644 $(BPF_OBJECTS) $(DESTLIB)/btfdepot
	$(Q)for page in $(wildcard agent/*.1 btfgen/*.1 server/*.8); do \
		install -m 644 $$page $(DEST)/share/man/man$${page##*.} || exit 1; done

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 12

-include $(shell find $(OBJ) $(BPF) $(FUZZ)/obj -type f -name '*.d' 2>/dev/null)
