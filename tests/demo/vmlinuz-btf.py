#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""vmlinuz-btf.py VMLINUZ OUT: the raw BTF inside of a kernel image.

An x86 bzImage holds the packed kernel where its setup header says so (Documentation/arch/x86/
boot.rst); an arm64 Image is not packed, or gzipped as a whole. The libraries for LZ4 and zstd are
those that apt itself uses.
"""
import ctypes
import gzip
import lzma
import struct
import sys

MAX_KERNEL = 256 << 20
LZ4_BLOCK = 8 << 20
BTF_HEADER = struct.pack("<HBBI", 0xEB9F, 1, 0, 24)


def unlz4(data):
    lib = ctypes.CDLL("liblz4.so.1")
    out, at = bytearray(), 4
    block = ctypes.create_string_buffer(LZ4_BLOCK)
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        packed = data[at + 4:at + 4 + size]
        at += 4 + size
        n = lib.LZ4_decompress_safe(packed, block, len(packed), LZ4_BLOCK)
        if n < 0 or len(out) + n > MAX_KERNEL:
            raise ValueError("damaged LZ4")
        out += block.raw[:n]
    return bytes(out)


def unzstd(data, size):
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2
    out = ctypes.create_string_buffer(size)
    if lib.ZSTD_decompress(out, size, data, len(data)) != size:
        raise ValueError("damaged zstd")
    return out.raw


def unpack(payload):
    """The kernel's build appends the unpacked size to all but gzip, which has it anyway."""
    packed, (size,) = payload[:-4], struct.unpack("<I", payload[-4:])
    if size > MAX_KERNEL:
        raise ValueError("the packed kernel says that it has %d bytes" % size)
    if payload.startswith(b"\x02\x21\x4c\x18"):
        return unlz4(packed)
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        return unzstd(packed, size)
    if payload.startswith(b"\xfd7zXZ\0"):
        return lzma.decompress(packed)
    if payload.startswith(b"\x1f\x8b"):
        return gzip.decompress(payload)
    raise ValueError("packed in a way that is not known here")


def kernel_of(image):
    if image[0x202:0x206] == b"HdrS":
        start = ((image[0x1F1] or 4) + 1) * 512
        offset, length = struct.unpack_from("<II", image, 0x248)
        return unpack(image[start + offset:start + offset + length])
    return gzip.decompress(image) if image.startswith(b"\x1f\x8b") else image


def btf_of(kernel):
    """The longest that looks like BTF: a header alone may be in the code that writes one."""
    best, at = b"", kernel.find(BTF_HEADER)
    while at >= 0:
        types, n_types, strings, n_strings = struct.unpack_from("<IIII", kernel, at + 8)
        end = at + 24 + strings + n_strings
        if types == 0 and strings == n_types and end <= len(kernel) and end - at > len(best):
            best = kernel[at:end]
        at = kernel.find(BTF_HEADER, at + 1)
    if len(best) < 1 << 16:
        raise ValueError("no BTF in this kernel")
    return best


def main():
    with open(sys.argv[1], "rb") as f:
        image = f.read(MAX_KERNEL)
    with open(sys.argv[2], "wb") as f:
        f.write(btf_of(kernel_of(image)))


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, EOFError, lzma.LZMAError, struct.error) as e:
        sys.exit("vmlinuz-btf.py: %s" % e)
