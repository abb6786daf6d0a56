/* The kernel's header knows more of TCP_INFO than the C library's, and the two cannot be included
 * together; so nothing else of the host, which needs <uv.h>, is included here. */
#include "host/info.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "support/tcp_state.h"

bool info_read(int fd, struct socket_info *info)
{
    struct tcp_info kernel = {0}; /* an older kernel fills less of it */
    socklen_t length = sizeof kernel;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &kernel, &length) != 0)
        return false;
    *info = (struct socket_info){
        .state = tcp_state_from_linux(kernel.tcpi_state),
        .rtt_us = kernel.tcpi_rtt,
        .rtt_variance_us = kernel.tcpi_rttvar,
        .retransmits = kernel.tcpi_total_retrans,
        .mss_send = kernel.tcpi_snd_mss,
        .mss_receive = kernel.tcpi_rcv_mss,
        .congestion_window = kernel.tcpi_snd_cwnd,
        .slow_start_threshold = kernel.tcpi_snd_ssthresh,
        .unacked = kernel.tcpi_unacked,
        .path_mtu = kernel.tcpi_pmtu,
        .rto_us = kernel.tcpi_rto,
        .window_scale_send = kernel.tcpi_snd_wscale,
        .window_scale_receive = kernel.tcpi_rcv_wscale,
        .timestamps = (kernel.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0,
        .sack = (kernel.tcpi_options & TCPI_OPT_SACK) != 0,
        .window_scaling = (kernel.tcpi_options & TCPI_OPT_WSCALE) != 0,
        .ecn = (kernel.tcpi_options & TCPI_OPT_ECN) != 0,
        .bytes_acked = kernel.tcpi_bytes_acked,
        .bytes_received = kernel.tcpi_bytes_received,
        .bytes_sent = kernel.tcpi_bytes_sent,
        .bytes_retransmitted = kernel.tcpi_bytes_retrans,
        .segments_out = kernel.tcpi_segs_out,
        .segments_in = kernel.tcpi_segs_in,
        .send_window = kernel.tcpi_snd_wnd,
    };
    return true;
}
