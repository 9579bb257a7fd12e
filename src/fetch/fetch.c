/* fetch.c - one file from the net: what is there already, what is missing, what it must be.
 * SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "micronets/fetch.h"

enum {
  PATH_SIZE = 2048,
  TRIES = 3,
  CONNECT_S = 30,
  STALLED_S = 60,
  STEP_BYTES = 1 << 20,
  MOST_REDIRECTS = 10
};

typedef struct transfer {
  const mn_fetch_file *file;
  const mn_monitor *monitor;
  char path[PATH_SIZE], part[PATH_SIZE], url[PATH_SIZE];
  CURL *curl;
  FILE *out;
  int64_t had;              /* bytes of the part when this request began */
  int64_t got;              /* bytes of this answer so far */
  int64_t said;             /* of which progress last spoke */
  bool told;                /* the answer's first bytes have come: the code is known */
  bool misplaced, too_long; /* an answer that is not what was asked for; more than the file has */
  int disk_error;
} transfer;

/* Bytes of a file; 0 where there is none. */
static int64_t size_of(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (int64_t)info.st_size : 0;
}

/* ---- What a file must be -----------------------------------------------------------------------*/

static mn_status sum_of(char text[80], const char *path, const char *wanted, mn_error *error) {
  FILE *in = fopen(path, "rb");
  if (in == NULL) return mn_error_set(error, MN_ERR_IO, "%s: %s", path, strerror(errno));
  mn_digest digest;
  uint8_t piece[65536];
  mn_digest_start(&digest, wanted != NULL && strncmp(wanted, "md5:", 4) == 0 ? MN_DIGEST_MD5
                                                                             : MN_DIGEST_SHA256);
  size_t count;
  while ((count = fread(piece, 1, sizeof piece, in)) > 0) mn_digest_add(&digest, piece, count);
  const bool failed = ferror(in) != 0;
  (void)fclose(in);
  if (failed) return mn_error_set(error, MN_ERR_IO, "%s: cannot be read", path);
  mn_digest_text(text, &digest);
  return MN_OK;
}

static mn_status check(mn_fetched *fetched, const transfer *t, const char *path, const char *advice,
                       mn_error *error) {
  const mn_fetch_file *file = t->file;
  fetched->bytes = size_of(path);
  if (file->bytes >= 0 && fetched->bytes != file->bytes) {
    return mn_error_set(error, MN_ERR_IO, "%s: %" PRId64 " bytes; expected %" PRId64 "; %s", path,
                        fetched->bytes, file->bytes, advice);
  }
  MN_TRY(sum_of(fetched->sum, path, file->sum, error));
  if (file->sum != NULL && strcmp(file->sum, fetched->sum) != 0) {
    return mn_error_set(error, MN_ERR_IO, "%s: %s; expected %s; %s", path, fetched->sum, file->sum,
                        advice);
  }
  if (file->sum == NULL)
    mn_monitor_message(t->monitor, MN_LEVEL_WARNING, "%s: no published sum to compare; it is %s",
                       path, fetched->sum);
  return MN_OK;
}

/* ---- One request -------------------------------------------------------------------------------*/

/* Whether a 206 begins where it was asked to: "bytes 100000-149999/150000". */
static bool begins_at(CURL *curl, int64_t wanted) {
  struct curl_header *header = NULL;
  int64_t start = -1;
  if (curl_easy_header(curl, "Content-Range", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
    return false;
  return sscanf(header->value, "bytes %" SCNd64 "-", &start) == 1 && start == wanted;
}

/* Where the server sends everything although the rest was asked for, everything is taken. */
static bool place_answer(transfer *t) {
  long code = 0;
  (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
  t->told = true;
  t->misplaced = code == 206 && !begins_at(t->curl, t->had);
  if (code != 200 || t->had == 0) return true;
  t->had = 0;
  return fseeko(t->out, 0, SEEK_SET) == 0 && ftruncate(fileno(t->out), 0) == 0;
}

static size_t take(char *data, size_t size, size_t count, void *context) {
  transfer *t = context;
  const size_t bytes = size * count;
  errno = 0;
  if (!t->told && !place_answer(t)) t->disk_error = errno;
  t->got += (int64_t)bytes;
  t->too_long = t->file->bytes >= 0 && t->had + t->got > t->file->bytes;
  if (t->misplaced || t->too_long) return 0;
  if (t->disk_error == 0 && (fwrite(data, 1, bytes, t->out) != bytes || fflush(t->out) != 0))
    t->disk_error = errno != 0 ? errno : EIO;
  return t->disk_error == 0 ? bytes : 0;
}

static int progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                    curl_off_t up_now) {
  (void)up_total, (void)up_now;
  transfer *t = context;
  const int64_t step = t->had + now;
  if (mn_monitor_stopped(t->monitor)) return 1;
  if (step - t->said < STEP_BYTES && step >= t->said) return 0;
  t->said = step;
  const mn_progress report = {.stage = "download",
                              .step = step,
                              .total = t->file->bytes >= 0 ? t->file->bytes
                                       : total > 0         ? t->had + total
                                                           : 0};
  mn_monitor_progress(t->monitor, &report);
  return 0;
}

static CURLcode set_up(transfer *t) {
  CURL *c = t->curl;
  CURLcode code = curl_easy_setopt(c, CURLOPT_URL, t->url);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_USERAGENT, "micronets");
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, progress);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
  if (code == CURLE_OK) code = curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  return code;
}

/* Asks for what is missing of the part. A range, not RESUME_FROM: libcurl takes an answer without the
 * range for a failure. */
static CURLcode request(transfer *t) {
  char range[32];
  t->had = size_of(t->part);
  t->got = 0;
  t->told = t->misplaced = t->too_long = false;
  t->disk_error = 0;
  t->out = fopen(t->part, "ab");
  if (t->out == NULL) {
    t->disk_error = errno;
    return CURLE_WRITE_ERROR;
  }
  (void)snprintf(range, sizeof range, "%" PRId64 "-", t->had);
  CURLcode code = curl_easy_setopt(t->curl, CURLOPT_RANGE, t->had > 0 ? range : NULL);
  if (code == CURLE_OK) code = curl_easy_perform(t->curl);
  if (fclose(t->out) != 0 && t->disk_error == 0) t->disk_error = errno;
  return t->disk_error != 0 ? CURLE_WRITE_ERROR : code;
}

static bool was_cut(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
         code == CURLE_OPERATION_TIMEDOUT || code == CURLE_HTTP2_STREAM;
}

/* A server that tells no length closes a broken connection as it does a whole one. */
static bool is_short(const transfer *t) {
  curl_off_t told = -1;
  (void)curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
  return told < 0 && size_of(t->part) < t->file->bytes;
}

static mn_status explain(const transfer *t, CURLcode code, mn_error *error) {
  long answer = 0;
  const int64_t kept = size_of(t->part);
  if (t->disk_error != 0)
    return mn_error_set(error, MN_ERR_IO,
                        "%s: %s; %" PRId64 " bytes are kept; make room, then run the same again",
                        t->part, strerror(t->disk_error), kept);
  if (t->too_long)
    return mn_error_set(error, MN_ERR_IO,
                        "%s: the answer is longer than the %" PRId64
                        " bytes expected; another file lies there: give a --mirror",
                        t->url, t->file->bytes);
  if (t->misplaced)
    return mn_error_set(error, MN_ERR_IO,
                        "%s: found an answer that does not begin at byte %" PRId64
                        " as asked; remove %s to start afresh, or give a --mirror",
                        t->url, t->had, t->part);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return mn_error_set(error, MN_ERR_INTERRUPTED,
                        "%s: interrupted at %" PRId64 " bytes; go on with the same command",
                        t->part, kept);
  (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
  if (code == CURLE_HTTP_RETURNED_ERROR)
    return mn_error_set(
        error, MN_ERR_IO,
        "%s: the server answers %ld; expected 200 or 206; give a --mirror that has it", t->url,
        answer);
  return mn_error_set(error, MN_ERR_IO,
                      "%s: %s; %" PRId64 " bytes are kept; run the same again to go on", t->url,
                      curl_easy_strerror(code), kept);
}

/* A connection that breaks is taken up again as long as the part grows. A part that the server does not
 * know how to continue (416, or another range) is thrown away once. */
static mn_status receive(transfer *t, mn_error *error) {
  CURLcode code = set_up(t);
  int64_t best = size_of(t->part);
  bool restarted = false;
  for (int left = TRIES; code == CURLE_OK;) {
    code = request(t);
    if (code == CURLE_OK && is_short(t)) code = CURLE_PARTIAL_FILE;
    if (code == CURLE_OK) return MN_OK;
    long answer = 0;
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    const bool refused = code == CURLE_HTTP_RETURNED_ERROR && answer == 416;
    if ((refused || t->misplaced) && !restarted) {
      restarted = true;
      if (truncate(t->part, 0) == 0) code = CURLE_OK;
    } else if (was_cut(code)) {
      left = size_of(t->part) > best ? TRIES : left - 1;
      if (size_of(t->part) > best) best = size_of(t->part);
      if (left > 0) code = CURLE_OK;
    }
  }
  const mn_status status = explain(t, code, error);
  if (t->too_long) (void)unlink(t->part); /* it is another file's */
  return status;
}

/* ---- The whole ---------------------------------------------------------------------------------*/

static mn_status name_paths(transfer *t, const char *folder, const char *mirror, mn_error *error) {
  const mn_fetch_file *file = t->file;
  const int longest = PATH_SIZE - 8;
  int length = snprintf(t->path, PATH_SIZE, "%s/%s", folder, file->name);
  if (length < longest) length = snprintf(t->part, PATH_SIZE, "%s.part", t->path);
  if (length < longest && mirror != NULL) {
    const size_t base = strlen(mirror);
    const int slash = base > 0 && mirror[base - 1] == '/' ? 1 : 0;
    length = snprintf(t->url, PATH_SIZE, "%.*s/%s", (int)base - slash, mirror, file->name);
  } else if (length < longest) {
    length = snprintf(t->url, PATH_SIZE, "%s", file->url);
  }
  return length < longest ? MN_OK
                          : mn_error_set(error, MN_ERR_USAGE, "%s: the path is too long", folder);
}

/* A part that is longer than the file, or that nothing could tell from another file's, is begun afresh. */
static bool is_useless(const transfer *t, int64_t had) {
  const bool unknown = t->file->bytes < 0 && t->file->sum == NULL;
  return had > 0 && (unknown || (t->file->bytes >= 0 && had > t->file->bytes));
}

static mn_status download(mn_fetched *fetched, transfer *t, mn_error *error) {
  if (is_useless(t, size_of(t->part)) && truncate(t->part, 0) != 0)
    return mn_error_set(error, MN_ERR_IO, "%s: %s", t->part, strerror(errno));
  const int64_t had = size_of(t->part);
  t->had = had;
  if (t->file->bytes < 0 || size_of(t->part) != t->file->bytes) MN_TRY(receive(t, error));
  fetched->state = had > 0 && t->had > 0 ? "resumed" : "downloaded";
  const mn_status status = check(fetched, t, t->part, "it is removed; run the same again", error);
  if (status != MN_OK) {
    (void)unlink(t->part);
    return status;
  }
  if (rename(t->part, t->path) != 0)
    return mn_error_set(error, MN_ERR_IO, "%s: %s", t->path, strerror(errno));
  return MN_OK;
}

static void remove_empty(const char *part) {
  struct stat info;
  if (lstat(part, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0) (void)unlink(part);
}

/* One download at a time writes a part. */
static mn_status download_alone(mn_fetched *fetched, transfer *t, mn_error *error) {
  const int lock = open(t->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) return mn_error_set(error, MN_ERR_IO, "%s: %s", t->part, strerror(errno));
  mn_status status = MN_OK;
  if (flock(lock, LOCK_EX | LOCK_NB) != 0)
    status = mn_error_set(
        error, MN_ERR_IO,
        "%s: another download is writing it; wait for that one, or give another --out", t->part);
  else if ((status = download(fetched, t, error)) != MN_OK)
    remove_empty(t->part);
  (void)close(lock);
  return status;
}

mn_status mn_fetch(mn_fetched *fetched, const mn_fetch_file *file, const char *folder,
                   const char *mirror, const mn_monitor *monitor, mn_error *error) {
  transfer t = {.file = file, .monitor = monitor};
  *fetched = (mn_fetched){.state = "there"};
  MN_TRY(name_paths(&t, folder, mirror, error));
  MN_TRY(mn_folder_make(folder, error));
  if (mn_file_exists(t.path))
    return check(fetched, &t, t.path, "move it away, then run the same again", error);
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (t.curl = curl_easy_init()) == NULL)
    return mn_error_set(error, MN_ERR_FAILED, "libcurl does not start");
  const mn_status status = download_alone(fetched, &t, error);
  curl_easy_cleanup(t.curl);
  curl_global_cleanup();
  return status;
}
