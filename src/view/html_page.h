/*
 * html_page.h - the report's page, embedded by the build from src/view/html/. For html*.c only.
 */
#ifndef HANDLENS_VIEW_HTML_PAGE_H
#define HANDLENS_VIEW_HTML_PAGE_H

#include <stddef.h>

/* page.html: everything but what stands for {{policy}}, {{style}}, {{trace}} and {{program}}. */
extern const unsigned char html_page_frame[];
extern const size_t html_page_frame_length;

/* The style sheets, one behind the other. */
extern const unsigned char html_page_style[];
extern const size_t html_page_style_length;

/* The scripts, likewise. */
extern const unsigned char html_page_program[];
extern const size_t html_page_program_length;

#endif
