/* fetch.c - one file from the net: what is there already, what is missing, what it must be.
 * SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "micronets/fetch.h"

enum { PATH_SIZE = 2048, TRIES = 3, CONNECT_S = 30, STALLED_S = 60, STEP_BYTES = 1 << 20 };

typedef struct transfer {
  const mn_fetch_file *file;
  const mn_monitor *monitor;
  char path[PATH_SIZE], part[PATH_SIZE], url[PATH_SIZE];
  CURL *curl;
  FILE *out;
  int64_t had;  /* bytes of the part when this request began */
  int64_t said; /* of which progress last spoke */
  bool told;    /* the answer's first bytes have come: the code is known */
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

/* Where the server sends everything although the rest was asked for, everything is taken. */
static bool place_answer(transfer *t) {
  long code = 0;
  (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
  t->told = true;
  if (code != 200 || t->had == 0) return true;
  t->had = 0;
  return fseeko(t->out, 0, SEEK_SET) == 0 && ftruncate(fileno(t->out), 0) == 0;
}

static size_t take(char *data, size_t size, size_t count, void *context) {
  transfer *t = context;
  const size_t bytes = size * count;
  errno = 0;
  if (!t->told && !place_answer(t)) t->disk_error = errno;
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
  t->told = false;
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

static mn_status explain(const transfer *t, CURLcode code, mn_error *error) {
  long answer = 0;
  const int64_t kept = size_of(t->part);
  if (t->disk_error != 0)
    return mn_error_set(error, MN_ERR_IO,
                        "%s: %s; %" PRId64 " bytes are kept; make room, then run the same again",
                        t->part, strerror(t->disk_error), kept);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return mn_error_set(error, MN_ERR_INTERRUPTED,
                        "%s: interrupted at %" PRId64 " bytes; go on with the same command",
                        t->part, kept);
  (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
  if (code == CURLE_HTTP_RETURNED_ERROR)
    return mn_error_set(error, MN_ERR_IO, "%s: the server answers %ld; expected 200 or 206", t->url,
                        answer);
  return mn_error_set(error, MN_ERR_IO,
                      "%s: %s; %" PRId64 " bytes are kept; run the same again to go on", t->url,
                      curl_easy_strerror(code), kept);
}

/* A connection that breaks is taken up again as long as the part grows. A part that the server does not
 * know how to continue (416) is thrown away once. */
static mn_status receive(transfer *t, mn_error *error) {
  CURLcode code = set_up(t);
  int64_t best = size_of(t->part);
  bool restarted = false;
  for (int left = TRIES; code == CURLE_OK;) {
    code = request(t);
    if (code == CURLE_OK) return MN_OK;
    long answer = 0;
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (code == CURLE_HTTP_RETURNED_ERROR && answer == 416 && !restarted) {
      restarted = true;
      if (unlink(t->part) == 0) code = CURLE_OK;
    } else if (was_cut(code)) {
      left = size_of(t->part) > best ? TRIES : left - 1;
      if (size_of(t->part) > best) best = size_of(t->part);
      if (left > 0) code = CURLE_OK;
    }
  }
  return explain(t, code, error);
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

static mn_status download(mn_fetched *fetched, transfer *t, mn_error *error) {
  const int64_t had = size_of(t->part);
  if (t->file->bytes >= 0 && had > t->file->bytes && unlink(t->part) != 0)
    return mn_error_set(error, MN_ERR_IO, "%s: %s", t->part, strerror(errno));
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
  const mn_status status = download(fetched, &t, error);
  curl_easy_cleanup(t.curl);
  curl_global_cleanup();
  return status;
}
