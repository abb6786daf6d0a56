#include "script/names.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_LENGTH 40

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Damerau's distance in its restricted form: inserted, lost, changed and swapped letters, where
 * upper and lower case are the same. */
static size_t distance_between(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NAME_MAX_LENGTH + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x == y ? 0 : 1));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]))
                row[j] = least(row[j], row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

struct names_search names_search_for(const char *wanted)
{
    return (struct names_search){.wanted = wanted, .distance = strlen(wanted) / 3 + 1};
}

void names_offer(struct names_search *search, const char *name)
{
    size_t wanted_length = strlen(search->wanted), length = strlen(name);
    if (wanted_length > NAME_MAX_LENGTH || length > NAME_MAX_LENGTH || length == 0)
        return;
    size_t distance = distance_between(search->wanted, wanted_length, name, length);
    /* A name that shares no letter is no help. */
    if (distance >= wanted_length || distance > search->distance)
        return;
    if (search->nearest != NULL && distance == search->distance &&
        strcmp(name, search->nearest) >= 0)
        return;
    search->distance = distance;
    search->nearest = name;
}
