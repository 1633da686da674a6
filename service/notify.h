/* Tells the service manager how the service does (sd_notify(3)). */
#pragma once

/* Sends `state`, such as "READY=1"; does nothing when nobody asked to be told (NOTIFY_SOCKET). */
void notify_send(const char *state);
