/* process.c - see process.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- Arguments ------------------------------------------------------------------------------*/

enum { MOST_ARGUMENTS = 512 };

mn_status mn_arguments_begin(mn_arguments *list, mn_arena *arena, mn_error *error) {
  *list = (mn_arguments){.arena = arena,
                         .item = mn_arena_array(arena, MOST_ARGUMENTS, sizeof(char *)),
                         .room = MOST_ARGUMENTS};
  return list->item != NULL ? MN_OK : mn_error_set(error, MN_ERR_MEMORY, "out of memory");
}

/* A text that could not be made, or one too many, leaves count past the room: _end sees it. */
static void append(mn_arguments *list, const char *text) {
  if (text == NULL || list->count + 1 >= list->room)
    list->count = list->room;
  else
    list->item[list->count++] = text;
}

void mn_arguments_add(mn_arguments *list, const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  bool fits = length >= 0 && (size_t)length < sizeof text;
  append(list, fits ? mn_arena_text(list->arena, "%s", text) : NULL);
}

void mn_arguments_words(mn_arguments *list, const char *words) {
  while (*words != '\0') {
    size_t length = strcspn(words, " ");
    if (length > 0) append(list, mn_arena_text(list->arena, "%.*s", (int)length, words));
    words += length + (words[length] == ' ');
  }
}

mn_status mn_arguments_end(mn_arguments *list, mn_error *error) {
  if (list->count >= list->room)
    return mn_error_set(error, MN_ERR_MEMORY, "the command line is too long");
  list->item[list->count] = NULL;
  return MN_OK;
}

/* ---- Running --------------------------------------------------------------------------------*/

/* In the child: becomes the program, or reports errno through the pipe. It leads a group of its own,
 * which can be ended as a whole, and ends when we do. */
static void become(const mn_process *process, int report) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int output = open(process->output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  int nothing = open("/dev/null", O_RDONLY);
  bool ready = output >= 0 && nothing >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0 &&
               dup2(nothing, 0) >= 0 && (process->folder == NULL || chdir(process->folder) == 0);
  if (ready) execvp(process->arguments[0], (char *const *)(uintptr_t)process->arguments);
  int reason = errno;
  ssize_t written = write(report, &reason, sizeof reason);
  (void)written;
  _exit(127);
}

static mn_status wait_for(const mn_process *process, pid_t child, int *exit_code, mn_error *error) {
  double start = mn_seconds();
  for (;;) {
    int status = 0;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child && mn_monitor_stopped(process->monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "interrupted");
    if (ended == child) {
      *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return MN_OK;
    }
    bool stopped = mn_monitor_stopped(process->monitor);
    bool late = process->seconds > 0.0 && mn_seconds() - start > process->seconds;
    if (ended < 0 || stopped || late) {
      kill(-child, SIGKILL); /* with everything that it started */
      waitpid(child, &status, 0);
      if (stopped) return mn_error_set(error, MN_ERR_INTERRUPTED, "interrupted");
      return mn_error_set(error, MN_ERR_FAILED, "%s did not end within %.0f s; see %s",
                          process->arguments[0], process->seconds, process->output);
    }
    struct timespec pause = {.tv_nsec = 2000000};
    nanosleep(&pause, NULL);
  }
}

static mn_status cannot_start(const mn_process *process, int reason, mn_error *error) {
  const char *name = process->arguments[0];
  if (reason == ENOENT)
    return mn_error_set(error, MN_ERR_FAILED,
                        "program %s was not found; install it or put it in PATH", name);
  return mn_error_set(error, MN_ERR_FAILED, "program %s cannot be run: %s", name, strerror(reason));
}

mn_status mn_process_run(const mn_process *process, int *exit_code, mn_error *error) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0)
    return mn_error_set(error, MN_ERR_FAILED, "no pipe: %s", strerror(errno));
  pid_t child = fork();
  if (child == 0) become(process, report[1]);
  close(report[1]);
  if (child < 0) {
    close(report[0]);
    return mn_error_set(error, MN_ERR_FAILED, "no process: %s", strerror(errno));
  }
  /* The pipe closes without a word when the program has started. */
  int reason = 0;
  ssize_t told = read(report[0], &reason, sizeof reason);
  close(report[0]);
  if (told == (ssize_t)sizeof reason) {
    waitpid(child, NULL, 0);
    return cannot_start(process, reason, error);
  }
  return wait_for(process, child, exit_code, error);
}
