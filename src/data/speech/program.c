/* program.c - a program started with arguments, its output read from a pipe.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/speech/parts.h"

extern char **environ;

static mn_status absent(const char *program, const char *why, mn_error *error) {
  return mn_error_set(error, MN_ERR_FAILED,
                      "%s: not found (%s); --words speaks with it; install it (apt-get install %s)",
                      program, why, program);
}

/* Ours, and no sound server: espeak-ng looks for one even when it writes to a pipe, and leaves a folder for it
 * behind. The caller frees the list; NULL: no memory. */
static char **child_environment(void) {
  static char no_server[] = "PULSE_SERVER=unix:/dev/null";
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char **list = mn_malloc((count + 2) * sizeof *list);
  if (list == NULL) return NULL;
  list[0] = no_server; /* the first of a name counts */
  memcpy(list + 1, environ, (count + 1) * sizeof *list);
  return list;
}

static mn_status spawn(pid_t *child, const char *const *arguments, int output, mn_error *error) {
  posix_spawn_file_actions_t actions;
  char **environment = child_environment();
  if (environment == NULL || posix_spawn_file_actions_init(&actions) != 0) {
    mn_free(environment);
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  }
  int code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (code == 0) code = posix_spawn_file_actions_adddup2(&actions, output, 1);
  if (code == 0) code = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  /* posix_spawn promises not to change the strings; its type is older than const. */
  char *list[16] = {0};
  for (size_t i = 0; i + 1 < MN_COUNT(list) && arguments[i] != NULL; i++) {
    memcpy(&list[i], &arguments[i], sizeof list[i]);
  }
  if (code == 0) code = posix_spawnp(child, list[0], &actions, NULL, list, environment);
  (void)posix_spawn_file_actions_destroy(&actions);
  mn_free(environment);
  if (code != 0) return absent(list[0], strerror(code), error);
  return MN_OK;
}

/* Waits for the next bytes or the end; a program that has hung is told from one at work by its silence. */
static mn_status wait_for_output(int input, const char *program, int seconds, mn_error *error) {
  struct pollfd ready = {.fd = input, .events = POLLIN};
  const double end = mn_seconds() + seconds;
  for (;;) {
    const double left = end - mn_seconds();
    const int count = poll(&ready, 1, left > 0 ? (int)(1000 * left) + 1 : 0);
    if (count > 0) return MN_OK;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return mn_error_set(error, MN_ERR_IO, "%s: %s", program, strerror(errno));
    return mn_error_set(
        error, MN_ERR_FAILED,
        "%s: said nothing for %d seconds and was ended; expected an answer; see whether "
        "it works by itself",
        program, seconds);
  }
}

static mn_status drain(mn_buffer *output, int input, const char *program, int seconds,
                       mn_error *error) {
  uint8_t piece[16384];
  for (;;) {
    MN_TRY(wait_for_output(input, program, seconds, error));
    const ssize_t count = read(input, piece, sizeof piece);
    if (count == 0) return MN_OK;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return mn_error_set(error, MN_ERR_IO, "%s: %s", program, strerror(errno));
    MN_TRY(mn_buffer_append(output, piece, (size_t)count));
  }
}

mn_status mn_program_output(mn_buffer *output, const char *const *arguments, int seconds,
                            mn_error *error) {
  int ends[2];
  /* Close on exec: another thread's child must not hold our pipe open. */
  if (pipe2(ends, O_CLOEXEC) != 0)
    return mn_error_set(error, MN_ERR_IO, "pipe: %s", strerror(errno));
  pid_t child = 0;
  mn_status status = spawn(&child, arguments, ends[1], error);
  (void)close(ends[1]);
  if (status != MN_OK) {
    (void)close(ends[0]);
    return status;
  }
  status = drain(output, ends[0], arguments[0], seconds, error);
  (void)close(ends[0]);
  if (status != MN_OK) (void)kill(child, SIGKILL); /* nobody listens to it any more */
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
  }
  if (status == MN_OK && WIFEXITED(result) && WEXITSTATUS(result) == 127) {
    return absent(arguments[0], "exit code 127", error);
  }
  if (status == MN_OK && !(WIFEXITED(result) && WEXITSTATUS(result) == 0)) {
    return WIFEXITED(result)
               ? mn_error_set(error, MN_ERR_FAILED, "%s: ended with exit code %d; expected 0",
                              arguments[0], WEXITSTATUS(result))
               : mn_error_set(error, MN_ERR_FAILED, "%s: ended by signal %d", arguments[0],
                              WTERMSIG(result));
  }
  return status;
}
