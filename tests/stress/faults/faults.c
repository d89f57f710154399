// Loaded into a process by LD_PRELOAD: lets one of its changes to files fail, ends the process there, or records what would
// outlive a loss of power. A change is a call that opens for writing, writes, makes, links, renames, removes or syncs
// something under FAULT_ROOT.
//
// All threads and child processes count together. FAULT_CONTROL is a file of numbers of 8 bytes, `struct control`, which may be
// written anew between one command and the next. FAULT_LOG is a file that gets a line for each change: its number, the call, whether
// it needs room, its place, the code that asked for it, the path. FAULT_SHADOW is a folder beside FAULT_ROOT that keeps, by inode, what
// was synced: contents, and lists of folders.
//
// A place is a call, the code that asks for it, and the kind of the file: its name without numbers and hashes. sites.mjs tells the code, as a number
// for the calls that follow on the same thread; where it tells none the whole path is the kind.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(result, name, ...)                                    \
  static result (*real_##name)(__VA_ARGS__);                       \
  if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name)

/** That change fails; that one and all later that need room; the process ends before it; from there on nothing is changed any
 * more, as after such an end, but the process goes on; the same, and half of it is written before. The last two go by places: they are
 * counted; the first one that is come to as often as `at` says fails, and one that was never come to before. */
enum how { NEVER, ONCE, ON, KILL, DEAD, TORN, COUNT, PLACES };
enum outcome { GO_ON, FAIL, TEAR };

struct place {
  _Atomic unsigned long hash;
  _Atomic long seen;
  _Atomic long at;
};
enum { PLACES_KNOWN = 4096 };

struct control {
  /** Changes so far; the one that it happens at, from 1, or 0; what happens, an `enum how`; what a failure says. */
  _Atomic long count;
  long at;
  long how;
  long error;
  /** Whether FAULT_SHADOW is kept. */
  long keeps;
  /** Of places: what they fail with changes with the round; the one that failed, or 0; whether the disk is still full. */
  long round;
  _Atomic unsigned long failed;
  _Atomic long is_full;
  struct place places[PLACES_KNOWN];
};

static char root[PATH_MAX];
static char shadow[PATH_MAX - 64];
static size_t root_length;
static struct control* control;
static int log_file = -1;

static int raw_open(const char* path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644); }
static void raw_write(int file, const void* bytes, size_t length) {
  for (const char* at = bytes; length > 0;) {
    const long done = syscall(SYS_write, file, at, length);
    if (done <= 0) abort();
    at += done, length -= (size_t)done;
  }
}

__attribute__((constructor)) static void start(void) {
  const char* const where = getenv("FAULT_ROOT");
  const char* const name = getenv("FAULT_CONTROL");
  if (!where || !name) return;
  const int file = raw_open(name, O_RDWR);
  if (file < 0) abort();
  control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (control == MAP_FAILED) abort();
  syscall(SYS_close, file);
  if (getenv("FAULT_LOG")) log_file = raw_open(getenv("FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND);
  if (getenv("FAULT_SHADOW")) snprintf(shadow, sizeof shadow, "%s", getenv("FAULT_SHADOW"));
  snprintf(root, sizeof root, "%s", where);
  root_length = strlen(root);
}

static int is_within(const char* path) {
  return root_length > 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || !path[root_length]);
}

/** The path that a file name means; its folder need not be there. */
static int path_of(int folder, const char* name, char* path) {
  if (!control || !name) return 0;
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
  } else {
    char link[64];
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    snprintf(path + length, (size_t)(PATH_MAX - length), "/%s", name);
  }
  return is_within(path);
}

static int path_of_file(int file, char* path) {
  if (!control) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_within(path);
}

static enum outcome refuse(void) {
  errno = (int)control->error;
  return FAIL;
}

/** The code that asks for what this thread does, or 0. */
static __thread unsigned long site;

static unsigned long mixed(unsigned long hash, unsigned char byte) { return (hash ^ byte) * 1099511628211UL; }

static unsigned long place_of(const char* call, const char* path) {
  unsigned long hash = 14695981039346656037UL;
  for (int i = 0; i < 8; i++) hash = mixed(hash, (unsigned char)(site >> 8 * i));
  for (; *call; call++) hash = mixed(hash, (unsigned char)*call);
  const char* const name = strrchr(path, '/');
  for (const char* at = site && name ? name : path + root_length; *at;) {
    const size_t hash_length = strspn(at, "0123456789abcdef");
    if (strncmp(at, ".tmp-", 5) == 0) at += strcspn(at, "/");
    else if (hash_length >= 8) hash = mixed(hash, '#'), at += hash_length;
    else if (*at >= '0' && *at <= '9') hash = mixed(hash, '#'), at += strspn(at, "0123456789");
    else hash = mixed(hash, (unsigned char)*at++);
  }
  return hash ? hash : 1;
}

static struct place* known_place(unsigned long hash) {
  for (unsigned long i = hash;; i++) {
    struct place* const place = &control->places[i % PLACES_KNOWN];
    unsigned long none = 0;
    if (atomic_compare_exchange_strong(&place->hash, &none, hash)) place->at = 1;
    if (place->hash == hash) return place;
    if (i - hash == PLACES_KNOWN) abort();
  }
}

/** Counts a place that needs room. */
static enum outcome at_place(unsigned long hash) {
  if (control->is_full) return refuse();
  if (control->failed) return GO_ON; // once in a command
  struct place* const place = known_place(hash);
  if (++place->seen != place->at || control->how == COUNT) return GO_ON;
  unsigned long none = 0;
  if (!atomic_compare_exchange_strong(&control->failed, &none, hash)) return GO_ON;
  static const long errors[] = {ENOSPC, EDQUOT, EIO};
  control->error = errors[(hash + (unsigned long)control->round) % 3];
  control->is_full = control->error != EIO;
  return refuse();
}

/** Counts a change. `needs_room`: whether a full disk refuses it. */
static enum outcome change(const char* call, const char* path, int needs_room) {
  const long number = ++control->count;
  const unsigned long place = place_of(call, path);
  if (log_file >= 0) {
    char line[PATH_MAX + 128];
    const int length = snprintf(line, sizeof line, "%ld %s %d %lu %lu %s\n", number, call, needs_room, place, site, path);
    raw_write(log_file, line, (size_t)length);
  }
  if (control->how >= COUNT) return needs_room ? at_place(place) : GO_ON;
  if (control->at == 0 || number < control->at) return GO_ON;
  const int is_first = number == control->at;
  switch (control->how) {
    case ONCE: return is_first ? refuse() : GO_ON;
    case ON: return needs_room ? refuse() : GO_ON;
    case KILL: return kill(getpid(), SIGKILL), pause(), FAIL;
    case DEAD: return refuse();
    // The system does not tear the few bytes of a lock.
    case TORN: return refuse(), is_first && !strstr(path, ".lock.") ? TEAR : FAIL;
    default: return GO_ON;
  }
}

// What outlives a loss of power.

static int keeps(void) { return control && control->keeps && shadow[0]; }

/** Holds an inode, so that no later file gets its number. */
static void keep_inode(const char* path) {
  static _Atomic long kept;
  if (!keeps()) return;
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s/kept-%d-%ld", shadow, getpid(), ++kept);
  syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, name, 0);
}

static int keep_folder(const char* path) {
  static _Atomic long kept;
  DIR* const folder = opendir(path);
  if (!folder) return -1;
  int entries = 0;
  while (readdir(folder)) entries++;
  closedir(folder);
  if (entries > 2) return errno = ENOTEMPTY, -1;
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s/kept-folder-%d-%ld", shadow, getpid(), ++kept);
  return (int)syscall(SYS_rename, path, name);
}

static void copy_synced(const char* path, const char* to) {
  char buffer[65536];
  const int in = raw_open(path, O_RDONLY);
  const int out = raw_open(to, O_WRONLY | O_CREAT | O_TRUNC);
  if (in < 0 || out < 0) abort();
  for (long length; (length = syscall(SYS_read, in, buffer, sizeof buffer)) > 0;) raw_write(out, buffer, (size_t)length);
  syscall(SYS_close, in);
  syscall(SYS_close, out);
}

static void list_folder(const char* path, const char* to) {
  const int out = raw_open(to, O_WRONLY | O_CREAT | O_TRUNC);
  DIR* const folder = opendir(path);
  if (out < 0 || !folder) abort();
  for (struct dirent* entry; (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char line[512];
    raw_write(out, line, (size_t)snprintf(line, sizeof line, "%lu %d %s\n", (unsigned long)entry->d_ino, entry->d_type == DT_DIR, entry->d_name));
  }
  closedir(folder);
  syscall(SYS_close, out);
}

/** Keeps what a sync made safe; written beside and renamed, for the process may end meanwhile. */
static void synced(int file, const char* path) {
  if (!keeps()) return;
  struct stat about;
  if (fstat(file, &about) != 0) return;
  char fresh[PATH_MAX];
  char kept[PATH_MAX];
  const char* const kind = S_ISDIR(about.st_mode) ? ".folder" : "";
  snprintf(fresh, sizeof fresh, "%s/%lu%s.fresh-%d", shadow, (unsigned long)about.st_ino, kind, (int)syscall(SYS_gettid));
  snprintf(kept, sizeof kept, "%s/%lu%s", shadow, (unsigned long)about.st_ino, kind);
  if (S_ISDIR(about.st_mode)) list_folder(path, fresh);
  else copy_synced(path, fresh);
  syscall(SYS_rename, fresh, kept);
}

// The calls.

static int opening(int folder, const char* name, int flags, const char* call) {
  char path[PATH_MAX];
  if (strncmp(name, "/site/", 6) == 0) {
    site = strtoul(name + 6, NULL, 10);
    errno = ENOENT;
    return 1;
  }
  const int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
  if (!writes || !path_of(folder, name, path)) return 0;
  struct stat about;
  const int is_new = (flags & O_CREAT) && stat(path, &about) != 0;
  const enum outcome outcome = change(call, path, is_new);
  return outcome != GO_ON;
}

#define OPENING(call, folder)                                           \
  mode_t mode = 0;                                                      \
  if (flags & (O_CREAT | __O_TMPFILE)) {                                \
    va_list more;                                                       \
    va_start(more, flags);                                              \
    mode = va_arg(more, mode_t);                                        \
    va_end(more);                                                       \
  }                                                                     \
  if (opening(folder, name, flags, call)) return -1;                    \
  return (int)syscall(SYS_openat, folder, name, flags | O_LARGEFILE, mode)

int open(const char* name, int flags, ...) { OPENING("open", AT_FDCWD); }
int open64(const char* name, int flags, ...) { OPENING("open", AT_FDCWD); }
int openat(int folder, const char* name, int flags, ...) { OPENING("open", folder); }
int openat64(int folder, const char* name, int flags, ...) { OPENING("open", folder); }

static FILE* opening_stream(FILE* (*real)(const char*, const char*), const char* name, const char* mode) {
  char path[PATH_MAX];
  if (mode[0] != 'r' && path_of(AT_FDCWD, name, path) && change("open", path, 1) != GO_ON) return NULL;
  return real(name, mode);
}
FILE* fopen(const char* name, const char* mode) {
  REAL(FILE*, fopen, const char*, const char*);
  return opening_stream(real_fopen, name, mode);
}
FILE* fopen64(const char* name, const char* mode) {
  REAL(FILE*, fopen64, const char*, const char*);
  return opening_stream(real_fopen64, name, mode);
}

/** Whether a write may go on; a torn one writes half of its first bytes. */
static int writing(int file, const void* bytes, size_t length, off_t offset) {
  char path[PATH_MAX];
  if (!path_of_file(file, path)) return 1;
  const enum outcome outcome = change("write", path, 1);
  if (outcome == FAIL) return 0;
  if (outcome == GO_ON) return 1;
  if (offset < 0) syscall(SYS_write, file, bytes, length / 2);
  else syscall(SYS_pwrite64, file, bytes, length / 2, offset);
  refuse();
  return 0;
}

ssize_t write(int file, const void* bytes, size_t length) {
  return writing(file, bytes, length, -1) ? syscall(SYS_write, file, bytes, length) : -1;
}
ssize_t pwrite(int file, const void* bytes, size_t length, off_t offset) {
  return writing(file, bytes, length, offset) ? syscall(SYS_pwrite64, file, bytes, length, offset) : -1;
}
ssize_t pwrite64(int file, const void* bytes, size_t length, off64_t offset) { return pwrite(file, bytes, length, offset); }
ssize_t writev(int file, const struct iovec* parts, int number) {
  if (number > 0 && !writing(file, parts[0].iov_base, parts[0].iov_len, -1)) return -1;
  return syscall(SYS_writev, file, parts, number);
}
ssize_t pwritev(int file, const struct iovec* parts, int number, off_t offset) {
  if (number > 0 && !writing(file, parts[0].iov_base, parts[0].iov_len, offset)) return -1;
  return syscall(SYS_pwritev, file, parts, number, offset, 0);
}
ssize_t pwritev64(int file, const struct iovec* parts, int number, off64_t offset) { return pwritev(file, parts, number, offset); }

/** A copy within the kernel, which nothing tears. */
static int copying(int file) {
  char path[PATH_MAX];
  if (!path_of_file(file, path)) return 1;
  const enum outcome outcome = change("copy", path, 1);
  return outcome == GO_ON;
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t length) {
  return copying(to) ? syscall(SYS_sendfile, to, from, offset, length) : -1;
}
/** libuv copies by number. */
long syscall(long number, ...) {
  REAL(long, syscall, long, ...);
  long given[6];
  va_list more;
  va_start(more, number);
  for (int i = 0; i < 6; i++) given[i] = va_arg(more, long);
  va_end(more);
  if (number == SYS_copy_file_range && !copying((int)given[2])) return -1;
  return real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

int ftruncate64(int file, off64_t length) {
  char path[PATH_MAX];
  if (path_of_file(file, path)) {
    if (change("truncate", path, 0) != GO_ON) return -1;
  }
  return (int)syscall(SYS_ftruncate, file, length);
}

static int syncing(int file, long number) {
  char path[PATH_MAX];
  const int counts = path_of_file(file, path);
  if (counts) {
    if (change("sync", path, 1) != GO_ON) return -1;
    synced(file, path);
    return 0; // the disk of the test is not asked, which may take longer than the command
  }
  return (int)syscall(number, file);
}
int fsync(int file) { return syncing(file, SYS_fsync); }
int fdatasync(int file) { return syncing(file, SYS_fdatasync); }

/** A change of a folder: 0 where it may go on. */
static int naming(const char* call, const char* name, int needs_room) {
  char path[PATH_MAX];
  if (!path_of(AT_FDCWD, name, path)) return 0;
  const enum outcome outcome = change(call, path, needs_room);
  return outcome != GO_ON;
}

int rename(const char* from, const char* to) {
  char path[PATH_MAX];
  if (naming("rename", to, 0)) return -1;
  if (path_of(AT_FDCWD, to, path)) keep_inode(path);
  return (int)syscall(SYS_rename, from, to);
}
int mkdir(const char* name, mode_t mode) {
  return naming("mkdir", name, 1) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
}
int link(const char* from, const char* to) {
  return naming("link", to, 1) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int symlink(const char* from, const char* to) {
  return naming("symlink", to, 1) ? -1 : (int)syscall(SYS_symlinkat, from, AT_FDCWD, to);
}
int unlink(const char* name) {
  char path[PATH_MAX];
  if (naming("unlink", name, 0)) return -1;
  if (path_of(AT_FDCWD, name, path)) keep_inode(path);
  return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}
int rmdir(const char* name) {
  char path[PATH_MAX];
  if (naming("rmdir", name, 0)) return -1;
  if (keeps() && path_of(AT_FDCWD, name, path)) return keep_folder(path);
  return (int)syscall(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR);
}
