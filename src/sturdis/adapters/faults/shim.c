/* Between a server and the system: what each fsync covered, slow and failed fsyncs, another clock.
 *
 * Preloaded into a server. Its switches and its records are in a file that STURDIS_SHIM names and
 * that the drill maps too (shim.py beside this holds the same layout); without that variable
 * everything passes through. Files below the folder STURDIS_SHIM_FOLDER alone are looked at.
 *
 * Records are shared with children of the server. No lock is held, for a process may be killed at
 * any point: slots are claimed by compare-and-swap, all else is one aligned store.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 4096
#define NAMES 512
#define NAME 64
#define SECOND 1000000000LL
#define LOOK (10 * 1000000LL)

struct slot {
  uint64_t device, inode;
  int64_t synced;     /* size when the last completed fsync began; -1: none completed */
  int64_t began;      /* when that one began, in ns since 1970 by the true clock */
  int64_t under_way;  /* when one that has not completed began; 0: none */
  int64_t increment;  /* 1: its name ends as an increment's */
};

struct change { /* of which names there are; durable once an fsync of the folder completed */
  int64_t at;
  int64_t kind; /* 1: made, 2: renamed, 3: removed */
  int64_t kept; /* the number of the link that keeps what the name stood for; 0: nothing */
  char from[NAME], to[NAME];
};

struct control {
  uint64_t dice;
  int64_t least_delay, most_delay; /* ns that each fsync takes longer */
  int64_t failures;                /* so many of the next fsyncs of increments fail with EIO */
  int64_t offset;                  /* ns that the server's clock is ahead */
  int64_t begun, completed, failed;
  int64_t longest;                 /* ns of the longest completed fsync */
  int64_t changes, durable;        /* changes of names: how many, and how many are durable */
  int64_t loaded;                  /* 1: the shim is in a process */
  int64_t reserved[4];
  struct slot slots[SLOTS];
  struct change names[NAMES];
};

static struct control *shared;
static char folder[PATH_MAX], keep[PATH_MAX];

static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_open)(const char *, int, ...);
static FILE *(*real_fopen)(const char *, const char *);

#define REAL(name) do { if (!real_##name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name); } while (0)

__attribute__((constructor)) static void prepare(void) {
  const char *path = getenv("STURDIS_SHIM"), *below = getenv("STURDIS_SHIM_FOLDER");
  *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  if (!path || !below || strlen(path) > PATH_MAX - 32 || strlen(below) > PATH_MAX - 2) return;
  int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (at == MAP_FAILED) return;
  snprintf(folder, sizeof folder, "%s/", below);
  snprintf(keep, sizeof keep, "%s.kept.", path);
  shared = at;
  shared->loaded = 1;
}

static int true_time(clockid_t clock, struct timespec *now) {
  return real_gettime ? real_gettime(clock, now) : (int)syscall(SYS_clock_gettime, clock, now);
}

static int64_t now_ns(void) {
  struct timespec now;
  true_time(CLOCK_REALTIME, &now);
  return now.tv_sec * SECOND + now.tv_nsec;
}

static void sleep_ns(int64_t ns) {
  struct timespec wait = {ns / SECOND, ns % SECOND};
  nanosleep(&wait, NULL);
}

/* The slot of a file, claimed where it has none; NULL: there is no room, and nothing is known. */
static struct slot *slot_of(const struct stat *file) {
  for (uint64_t probe = 0; probe < SLOTS; probe++) {
    struct slot *slot = &shared->slots[(file->st_ino + probe) % SLOTS];
    uint64_t free_slot = 0;
    if (slot->inode == file->st_ino && slot->device == file->st_dev) return slot;
    if (slot->inode == 0 &&
        __atomic_compare_exchange_n(&slot->inode, &free_slot, file->st_ino, 0,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      slot->device = file->st_dev;
      slot->synced = -1;
      return slot;
    }
  }
  return NULL;
}

/* The path of an open file, below the folder; 0: it is elsewhere. */
static int ours(int fd, char path[PATH_MAX]) {
  char link[64];
  if (!shared) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 2);
  if (length < 0) return 0;
  path[length] = '/';
  path[length + 1] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0) return 0;
  path[length] = 0;
  return 1;
}

static int below(const char *path) {
  char whole[PATH_MAX];
  if (!shared) return 0;
  if (path[0] == '/') return strncmp(path, folder, strlen(folder)) == 0;
  if (!getcwd(whole, sizeof whole)) return 0; /* a server's folder is its data's */
  size_t length = strlen(whole);
  whole[length] = '/';
  whole[length + 1] = 0;
  return strncmp(whole, folder, strlen(folder)) == 0;
}

/* The path within the data folder, which is where a server is. */
static void name_into(char to[NAME], const char *path) {
  size_t length = strlen(folder);
  snprintf(to, NAME, "%s", strncmp(path, folder, length) == 0 ? path + length : path);
}

/* Note a change of names, and keep what `lost` stands for until the change is durable. */
static struct change *change(int kind, const char *from, const char *to, const char *lost) {
  int64_t number = __atomic_fetch_add(&shared->changes, 1, __ATOMIC_SEQ_CST);
  struct change *noted = &shared->names[number % NAMES];
  char kept[PATH_MAX + 24];
  noted->at = now_ns();
  noted->kept = 0;
  name_into(noted->from, from);
  name_into(noted->to, to);
  snprintf(kept, sizeof kept, "%s%lld", keep, (long long)number + 1);
  if (lost && link(lost, kept) == 0) noted->kept = number + 1;
  noted->kind = kind;
  return noted;
}

/* An fsync of the folder completed: the changes before `number` are durable. */
static void changes_are_durable(int64_t number) {
  char kept[PATH_MAX + 24];
  REAL(unlink);
  for (int64_t one = shared->durable; one < number; one++) {
    if (!shared->names[one % NAMES].kept) continue;
    snprintf(kept, sizeof kept, "%s%lld", keep, (long long)one + 1);
    real_unlink(kept);
  }
  if (shared->durable < number) shared->durable = number;
}

static int64_t delay(void) {
  int64_t least = shared->least_delay, most = shared->most_delay;
  if (most <= 0) return 0;
  uint64_t roll = __atomic_add_fetch(&shared->dice, 0x9e3779b97f4a7c15ULL, __ATOMIC_SEQ_CST);
  roll = (roll ^ (roll >> 30)) * 0xbf58476d1ce4e5b9ULL;
  roll = (roll ^ (roll >> 27)) * 0x94d049bb133111ebULL;
  return least + (int64_t)((roll ^ (roll >> 31)) % (uint64_t)(most - least + 1));
}

/* Wait as long as the switches say, or until they are off. */
static void be_slow(int64_t began) {
  int64_t until = began + delay();
  while (shared->most_delay > 0 && now_ns() < until) {
    int64_t left = until - now_ns();
    sleep_ns(left < LOOK ? left : LOOK);
  }
}

static int fails(const char *path) {
  size_t length = strlen(path);
  if (length < 9 || strcmp(path + length - 9, ".incr.aof") != 0) return 0;
  int64_t left = __atomic_load_n(&shared->failures, __ATOMIC_SEQ_CST);
  while (left > 0)
    if (__atomic_compare_exchange_n(&shared->failures, &left, left - 1, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
      return 1;
  return 0;
}

static int synced(int fd, int (*sync)(int)) {
  char path[PATH_MAX];
  struct stat file;
  if (!ours(fd, path) || fstat(fd, &file) != 0) return sync(fd);
  struct slot *slot = slot_of(&file);
  int64_t began = now_ns(), names = __atomic_load_n(&shared->changes, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&shared->begun, 1, __ATOMIC_SEQ_CST);
  if (slot) slot->under_way = began;
  size_t length = strlen(path);
  if (slot) slot->increment = length > 9 && strcmp(path + length - 9, ".incr.aof") == 0;
  be_slow(began);
  int failed = fails(path), result = failed ? -1 : sync(fd), error = failed ? EIO : errno;
  int64_t took = now_ns() - began;
  if (result == 0) {
    if (slot) {
      slot->synced = file.st_size;
      slot->began = began;
    }
    if (S_ISDIR(file.st_mode)) changes_are_durable(names);
    if (took > shared->longest) shared->longest = took;
    __atomic_add_fetch(&shared->completed, 1, __ATOMIC_SEQ_CST);
  } else {
    __atomic_add_fetch(&shared->failed, 1, __ATOMIC_SEQ_CST);
  }
  if (slot) slot->under_way = 0;
  errno = error;
  return result;
}

int fsync(int fd) {
  REAL(fsync);
  return synced(fd, real_fsync);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return synced(fd, real_fdatasync);
}

static int truncated(int fd, off64_t size) {
  struct stat file;
  char path[PATH_MAX];
  if (!real_ftruncate) *(void **)&real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  int result = real_ftruncate(fd, size), error = errno;
  if (result == 0 && ours(fd, path) && fstat(fd, &file) == 0) {
    struct slot *slot = slot_of(&file);
    if (slot && slot->synced > size) slot->synced = size;
  }
  errno = error;
  return result;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

/* A file that was made, or emptied: what an older fsync covered counts no more. */
static void opened(int fd, const char *path, int is_new) {
  struct stat file;
  int error = errno;
  if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) {
    struct slot *slot = slot_of(&file);
    if (slot && file.st_size == 0) slot->synced = -1;
    if (is_new) change(1, path, path, NULL);
  }
  errno = error;
}

static int open_noting(const char *path, int flags, mode_t mode) {
  REAL(open);
  if (!(flags & O_CREAT) || !below(path)) return real_open(path, flags, mode);
  int is_new = access(path, F_OK) != 0;
  int fd = real_open(path, flags, mode);
  if (fd >= 0) opened(fd, path, is_new);
  return fd;
}

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & O_CREAT) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

int open(const char *path, int flags, ...) {
  MODE(flags)
  return open_noting(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags)
  return open_noting(path, flags | O_LARGEFILE, mode);
}

static FILE *fopen_noting(const char *path, const char *mode) {
  REAL(fopen);
  if (mode[0] == 'r' || !below(path)) return real_fopen(path, mode);
  int is_new = access(path, F_OK) != 0;
  FILE *file = real_fopen(path, mode);
  if (file) opened(fileno(file), path, is_new);
  return file;
}

FILE *fopen(const char *path, const char *mode) { return fopen_noting(path, mode); }
FILE *fopen64(const char *path, const char *mode) { return fopen_noting(path, mode); }

int rename(const char *from, const char *to) {
  REAL(rename);
  if (!below(from)) return real_rename(from, to);
  struct change *noted = change(2, from, to, access(to, F_OK) == 0 ? to : NULL);
  int result = real_rename(from, to);
  if (result != 0) noted->kind = 0;
  return result;
}

int unlink(const char *path) {
  REAL(unlink);
  if (below(path)) change(3, path, path, path);
  return real_unlink(path);
}

static int64_t ahead(clockid_t clock) {
  return shared && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) ? shared->offset : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = true_time(clock, now);
  int64_t offset = ahead(clock);
  if (result == 0 && offset) {
    int64_t at = now->tv_sec * SECOND + now->tv_nsec + offset;
    now->tv_sec = at / SECOND;
    now->tv_nsec = at % SECOND;
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec at;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &at) != 0) return -1;
  now->tv_sec = at.tv_sec;
  now->tv_usec = at.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
