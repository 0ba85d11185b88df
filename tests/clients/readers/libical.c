/* Reads calendar files with libical, whose restriction check holds each component against RFC 5545's and RFC 5546's tables.
 * Prints what icaljs.mjs does; every X-LIC-ERROR that parsing or the check leaves behind is a fault. */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>

static char *content_of(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        exit(2);
    }
    size_t length = 0, room = 1 << 16;
    char *text = malloc(room);
    for (size_t got; (got = fread(text + length, 1, room - length - 1, file)) > 0;) {
        length += got;
        if (room - length < 2)
            text = realloc(text, room *= 2);
    }
    text[length] = '\0';
    fclose(file);
    return text;
}

static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
    putchar('"');
}

/* The time of a property by the VTIMEZONE that stands in the calendar, not by the system's zones. */
static long long instant(icalcomponent *event, icalproperty_kind kind)
{
    icalproperty *property = icalcomponent_get_first_property(event, kind);
    if (property == NULL)
        return -1;
    struct icaltimetype time = icalproperty_get_datetime_with_component(property, event);
    return (long long)icaltime_as_timet_with_zone(time, icaltime_get_timezone(time));
}

static void print_events(icalcomponent *calendar)
{
    const char *comma = "";
    for (icalcomponent *event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT); event != NULL;
         event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
        printf("%s[", comma);
        print_quoted(icalcomponent_get_uid(event) ? icalcomponent_get_uid(event) : "");
        printf(", %lld, %lld]", instant(event, ICAL_DTSTART_PROPERTY), instant(event, ICAL_DTEND_PROPERTY));
        comma = ", ";
    }
}

static const char *print_faults(icalcomponent *component, const char *comma)
{
    for (icalproperty *fault = icalcomponent_get_first_property(component, ICAL_XLICERROR_PROPERTY); fault != NULL;
         fault = icalcomponent_get_next_property(component, ICAL_XLICERROR_PROPERTY)) {
        printf("%s", comma);
        print_quoted(icalproperty_get_xlicerror(fault));
        comma = ", ";
    }
    for (icalcomponent *part = icalcomponent_get_first_component(component, ICAL_ANY_COMPONENT); part != NULL;
         part = icalcomponent_get_next_component(component, ICAL_ANY_COMPONENT))
        comma = print_faults(part, comma);
    return comma;
}

int main(int count, char **names)
{
    for (int i = 1; i < count; i++) {
        char *text = content_of(names[i]);
        icalcomponent *calendar = icalparser_parse_string(text);
        if (calendar == NULL) {
            puts("{\"events\": [], \"faults\": [\"no calendar\"]}");
        } else {
            int holds = icalrestriction_check(calendar);
            printf("{\"events\": [");
            print_events(calendar);
            printf("], \"faults\": [");
            const char *comma = print_faults(calendar, "");
            if (!holds && *comma == '\0')
                printf("\"the restriction check fails\"");
            puts("]}");
            icalcomponent_free(calendar);
        }
        free(text);
    }
    return 0;
}
