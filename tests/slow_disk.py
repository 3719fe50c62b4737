"""A disk on which each fsync takes long, for the programs that are run with it."""

import subprocess
from pathlib import Path

SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#define TEXT_OF(word) #word
#define TEXT(word) TEXT_OF(word)

int SLOWED(int file) {
  struct timespec wait = {MILLISECONDS / 1000, MILLISECONDS % 1000 * 1000000};
  nanosleep(&wait, 0);
  return ((int (*)(int))dlsym(RTLD_NEXT, TEXT(SLOWED)))(file);
}
"""


def library(folder: Path, slowed: str, milliseconds: int) -> Path:
    """Compile what slows down `slowed`, fsync or fdatasync, of a program that preloads it."""
    source, made = folder / f"slow-{slowed}.c", folder / f"slow-{slowed}.so"
    source.write_text(SOURCE)
    defined = (f"-DSLOWED={slowed}", f"-DMILLISECONDS={milliseconds}")
    subprocess.run(["cc", "-shared", "-fPIC", *defined, "-o", made, source, "-ldl"], check=True)
    return made
