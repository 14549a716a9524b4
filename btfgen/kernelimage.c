// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "kernelimage.h"

#include "btfs/elf.h"
#include "btfs/fail.h"
#include "btfs/view.h"
#include "unpack.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#define GREETING     "Linux version "
#define MAX_GREETING 1024	  /* bytes of its line */
#define MAX_SEARCH   (256u << 20) /* bytes; what is larger holds DWARF, and sections that tell */
#define MAX_BTF_TRY  64		  /* places that look like BTF's header */
#define BTF_HEADER   24		  /* bytes */
#define NOTE_HEADER  16		  /* bytes, with the name "GNU" */

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static void copy(char ret_field[KERNEL_FIELD_SIZE], const uint8_t *s, size_t n)
{
	if (n < KERNEL_FIELD_SIZE) {
		memcpy(ret_field, s, n);
		ret_field[n] = '\0';
	}
}

/*
 * "RELEASE (BY) (COMPILER) #1 SMP ...": the version is what uname -v says, and begins with a
 * number sign behind a bracket. Since 6.1 there is a second, weak greeting that is never shown: its
 * number sign has no number (scripts/link-vmlinux.sh), and its version is not told here.
 */
static bool parse_greeting(const uint8_t *s, size_t n, struct kernel *kernel)
{
	const uint8_t *space = memchr(s, ' ', n), *version;
	struct kernel k = { .release = "" };

	if (!space)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	version = memmem(space, n - (space - s), ") #", 3);
	if (!version)
		return false;
	version += 2;
	copy(k.release, s, space - s);
	if (version + 1 < s + n && version[1] >= '0' && version[1] <= '9')
		copy(k.version, version, n - (version - s));
	if (!kernel_name_ok(k.release))
		return false;
	memcpy(kernel->release, k.release, sizeof(k.release));
	memcpy(kernel->version, k.version, sizeof(k.version));
	return true;
}

int kernelimage_greeting(const void *data, size_t size, struct kernel *kernel)
{
	const uint8_t *p = data, *end = p + size, *line_end;
	struct kernel k = { .release = "" };
	size_t left;

	while (!*k.version && (p = memmem(p, end - p, GREETING, strlen(GREETING)))) {
		p += strlen(GREETING);
		left = end - p < MAX_GREETING ? end - p : MAX_GREETING;
		line_end = memchr(p, '\n', left);
		/* its pattern for /proc/version has %s instead */
		if (line_end && *p >= '0' && *p <= '9')
			parse_greeting(p, line_end - p, &k);
	}
	if (!*k.release)
		return -ENOENT;
	memcpy(kernel->release, k.release, sizeof(k.release));
	memcpy(kernel->version, k.version, sizeof(k.version));
	return 0;
}

static const char *elf_arch(const struct elf *elf)
{
	switch (elf->machine) {
	case EM_X86_64:
		return "x86_64";
	case EM_386:
		return "i386";
	case EM_AARCH64:
		return "arm64";
	case EM_ARM:
		return "arm";
	case EM_PPC64:
		return elf->big_endian ? "ppc64" : "ppc64el";
	case EM_PPC:
		return "powerpc";
	case EM_S390:
		return elf->is_64 ? "s390x" : NULL;
	case EM_MIPS:
		return elf->is_64 ? (elf->big_endian ? "mips64" : "mips64el")
				  : (elf->big_endian ? "mips" : "mipsel");
	case EM_RISCV:
		return elf->is_64 ? "riscv64" : NULL;
	case EM_LOONGARCH:
		return "loong64";
	default:
		return NULL;
	}
}

static void read_notes(const struct elf *elf, struct kernel *kernel)
{
	static const char *const names[] = { ".notes", ".note.gnu.build-id" };
	const void *notes;
	size_t n;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!elf_section(elf, names[i], &notes, &n, NULL) &&
		    !kernel_parse_notes(notes, n, kernel->build_id, NULL))
			return;
}

static int read_elf(const struct mapping *m, struct kernelimage *image, struct fail *f)
{
	struct kernel *k = &image->kernel;
	const void *section;
	struct elf elf;
	size_t n;
	int err;

	err = elf_open(m->data, m->size, &elf, f);
	if (err)
		return err == -ENOENT ? fail_in(f, -EBADMSG, "not a kernel") : err;
	if (elf.type != ET_EXEC && elf.type != ET_DYN)
		return fail(f, -EBADMSG, "not a kernel: an ELF file, but no executable");
	if (!elf_arch(&elf))
		return fail(f, -ENOTSUP, "a kernel for a machine that is not known (ELF's %u)",
			    elf.machine);
	memcpy(k->arch, elf_arch(&elf), strlen(elf_arch(&elf)) + 1);
	read_notes(&elf, k);
	if ((elf_section(&elf, ".rodata", &section, &n, NULL) ||
	     kernelimage_greeting(section, n, k)) &&
	    m->size <= MAX_SEARCH)
		kernelimage_greeting(m->data, m->size, k);
	err = elf_section(&elf, ".BTF", &section, &n, f);
	if (err && err != -ENOENT)
		return err;
	if (!err) {
		image->btf = section;
		image->btf_size = n;
	}
	err = elf_section(&elf, ".debug_info", &section, &n, f);
	if (!err || err == -ENOTSUP)
		image->dwarf_fd = m->fd;
	return 0;
}

/* The end of an ELF file (a vDSO) that begins at p, by its section headers; p: there is none. */
static const uint8_t *elf_end(const uint8_t *p, const uint8_t *end)
{
	struct elf elf;

	if (elf_open(p, end - p, &elf, NULL))
		return p;
	return p + elf.sections_off + (size_t)elf.n_sections * elf.section_size;
}

/*
 * The one GNU build-id note of an image that has no section headers; those of vDSOs inside are
 * passed over. Left "" where several remain.
 */
static void search_build_id(const struct mapping *m, struct kernel *kernel)
{
	static const uint8_t gnu[] = { 3, 0, 0, 0, 'G', 'N', 'U', 0 };
	const uint8_t *p = m->data, *end = p + m->size, *note, *inner;
	char found[KERNEL_FIELD_SIZE] = "";
	size_t n = 0, len;

	while ((note = memmem(p, end - p, gnu, sizeof(gnu)))) {
		inner = memmem(p, note - p, ELFMAG, SELFMAG);
		if (inner) {
			p = elf_end(inner, end);
			p = p > inner ? p : inner + 1;
			continue;
		}
		p = note + 1;
		note -= 8;
		if (note < m->data || note + NOTE_HEADER > end)
			continue;
		len = le32(note + 4);
		if (le32(note) == 4 && len <= (size_t)(end - note - NOTE_HEADER) &&
		    !kernel_parse_notes(note, NOTE_HEADER + ((len + 3) & ~(size_t)3), found, NULL))
			n++;
	}
	if (n == 1)
		memcpy(kernel->build_id, found, sizeof(found));
}

/* Whether BTF begins at p, and how long it is. The first look is cheap, view_open has the word. */
static bool is_btf(const uint8_t *p, size_t left, size_t *ret_size)
{
	struct view *view;
	uint64_t size;

	if (le32(p + 4) != BTF_HEADER)
		return false;
	size = (uint64_t)BTF_HEADER + le32(p + 16) + le32(p + 20);
	if (le32(p + 8) != 0 || le32(p + 16) < le32(p + 12) || size > left ||
	    size > VIEW_MAX_SIZE || view_open(p, size, NULL, &view, NULL))
		return false;
	view_close(view);
	*ret_size = size;
	return true;
}

/* An uncompressed image without section headers: what lies in it is found by its looks. */
static int read_image(const struct mapping *m, const char *arch, struct kernelimage *image,
		      struct fail *f)
{
	static const uint8_t magic[] = { 0x9f, 0xeb, 1, 0 };
	const uint8_t *p = m->data, *end = p + m->size;
	size_t size, tries = 0;

	memcpy(image->kernel.arch, arch, strlen(arch) + 1);
	if (kernelimage_greeting(m->data, m->size, &image->kernel))
		return fail(f, -EBADMSG, "an Image, but it does not say which Linux it is");
	search_build_id(m, &image->kernel);
	while ((p = memmem(p, end - p, magic, sizeof(magic))) && end - p > BTF_HEADER &&
	       tries++ < MAX_BTF_TRY) {
		if (is_btf(p, end - p, &size) && size > image->btf_size) {
			image->btf = p;
			image->btf_size = size;
		}
		p++;
	}
	return 0;
}

static int add_layer(const uint8_t *data, size_t size, struct kernelimage *image, struct fail *f)
{
	int err;

	if (image->n_layers == KERNELIMAGE_MAX_LAYERS)
		return fail(f, -EBADMSG, "not a kernel: compressed more than %u times",
			    KERNELIMAGE_MAX_LAYERS);
	err = unpack(data, size, &image->layers[image->n_layers], f);
	if (!err)
		image->n_layers++;
	return err;
}

static bool is_bzimage(const struct mapping *m)
{
	return m->size > 0x268 && !memcmp(m->data + 0x202, "HdrS", 4) &&
	       le16(m->data + 0x1fe) == 0xaa55;
}

/* Its header says release and version: "RELEASE (BY) VERSION", kernel_version at 0x20e. */
static void read_setup(const struct mapping *m, struct kernel *kernel)
{
	size_t at = le16(m->data + 0x20e) + 0x200u, n;

	if (at == 0x200 || at + MAX_GREETING > m->size)
		return;
	n = strnlen((const char *)m->data + at, MAX_GREETING);
	parse_greeting(m->data + at, n, kernel);
}

static int open_bzimage(const struct mapping *m, struct kernelimage *image, struct fail *f)
{
	size_t sectors = m->data[0x1f1] ? m->data[0x1f1] : 4;
	uint64_t at, size;

	read_setup(m, &image->kernel);
	if (le16(m->data + 0x206) < 0x208)
		return fail(f, -ENOTSUP,
			    "a bzImage of boot protocol %u.%02u, which does not say where its "
			    "payload is; 2.08 does",
			    m->data[0x207], m->data[0x206]);
	at = (sectors + 1) * 512 + le32(m->data + 0x248);
	size = le32(m->data + 0x24c);
	if (size == 0 || at > m->size || size > m->size - at)
		return fail(f, -EBADMSG, "a bzImage that is cut short");
	return add_layer(m->data + at, size, image, f);
}

static bool is_zboot(const struct mapping *m)
{
	return m->size > 64 && !memcmp(m->data, "MZ", 2) && !memcmp(m->data + 4, "zimg", 4);
}

/* drivers/firmware/efi/libstub/zboot-header.S: offset and size of the payload at 8 and 12. */
static int open_zboot(const struct mapping *m, struct kernelimage *image, struct fail *f)
{
	size_t at = le32(m->data + 8), size = le32(m->data + 12);

	if (size == 0 || at > m->size || size > m->size - at)
		return fail(f, -EBADMSG, "an EFI zboot image that is cut short");
	return add_layer(m->data + at, size, image, f);
}

/* One layer: either what it says is taken, or the next layer is put on the pile. */
static int open_layer(const struct mapping *m, struct kernelimage *image, struct fail *f)
{
	if (m->size >= SELFMAG && !memcmp(m->data, ELFMAG, SELFMAG))
		return read_elf(m, image, f);
	if (is_bzimage(m))
		return open_bzimage(m, image, f);
	if (is_zboot(m))
		return open_zboot(m, image, f);
	if (m->size > 64 && !memcmp(m->data + 56, "ARM\x64", 4))
		return read_image(m, "arm64", image, f);
	if (m->size > 64 && !memcmp(m->data + 56, "RSC\x05", 4))
		return read_image(m, "riscv64", image, f);
	if (m->size > 64 && le32(m->data + 0x24) == 0x016f2818)
		return fail(f, -ENOTSUP,
			    "an ARM zImage, which is not read; give its vmlinux or debug package");
	if (unpack_knows(m->data, m->size))
		return add_layer(m->data, m->size, image, f);
	return fail(f, -EBADMSG, "not a kernel: neither vmlinux nor bzImage nor Image");
}

int kernelimage_open(const struct mapping *file, struct kernelimage *ret_image, struct fail *f)
{
	struct kernelimage image = { .dwarf_fd = -1, .file = file };
	const struct mapping *m = file;
	size_t n;
	int err;

	do {
		n = image.n_layers;
		err = open_layer(m, &image, f);
		m = &image.layers[n];
	} while (!err && image.n_layers > n);
	if (err)
		kernelimage_close(&image);
	else
		*ret_image = image;
	return err;
}

void kernelimage_close(struct kernelimage *image)
{
	if (!image)
		return;
	while (image->n_layers)
		mapping_close(&image->layers[--image->n_layers]);
}
