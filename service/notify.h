/* Notifies the service manager of the service's state (sd_notify(3)). */
#pragma once

/* Sends `state`, such as "READY=1"; does nothing when NOTIFY_SOCKET is not set. */
void notify_send(const char *state);
