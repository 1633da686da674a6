/* Tests of the notifications to the service manager, with a socket in its place. */
#include "service/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An abstract socket: its name is outside the file system. */
static int listen_as(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path + 1, name, strlen(name));
    int in = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(in, (const struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
                 0);
    return in;
}

Test(notify, a_listening_manager_gets_the_state) {
    char name[64], path[66], got[64] = "";
    snprintf(name, sizeof name, "register-test-%d", (int)getpid());
    snprintf(path, sizeof path, "@%s", name);
    int in = listen_as(name);
    setenv("NOTIFY_SOCKET", path, 1);
    notify_send("READY=1");
    cr_expect_eq(recv(in, got, sizeof got - 1, 0), 7);
    cr_expect_str_eq(got, "READY=1");
    close(in);
}

Test(notify, without_a_socket_or_a_listener_nothing_happens) {
    static const char *const paths[] = {"", "/", "relative", "/nonexistent/socket", "@nobody-here"};
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        setenv("NOTIFY_SOCKET", paths[i], 1);
        notify_send("READY=1");
    }
}
