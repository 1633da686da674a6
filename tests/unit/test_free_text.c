/* Tests of the scan for personal identifiers in free text: what it must find, what it must accept.
 */
#include "api/free_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define FOR_EACH(texts) for (size_t i = 0; i < sizeof(texts) / sizeof(texts)[0]; i++)

static void expect_kind(const char *text, const char *kind) {
    const char *found = free_text_scan(text);
    cr_expect(found != NULL && strcmp(found, kind) == 0, "%s in: %s",
              found == NULL ? "nothing" : found, text);
}

static void expect_nothing(const char *text) {
    const char *found = free_text_scan(text);
    cr_expect_null(found, "%s in: %s", found, text);
}

/* Writes the CHI number of nine digits (date of birth and serial); `off` makes the check digit
 * wrong. Returns false when the nine digits have no check digit. */
static bool make_chi(const char *nine, int off, char *chi) {
    int sum = 0;
    for (int i = 0; i < 9; i++) {
        sum += (nine[i] - '0') * (10 - i);
    }
    int check = (11 - sum % 11) % 11;
    if (check == 10) {
        return false;
    }
    snprintf(chi, 11, "%s%d", nine, (check + off) % 10);
    return true;
}

/* Nine digits with a check digit: births on the first and last day and in the middle. */
static const char *const births[] = {"010101123", "311299999", "150607421",
                                     "290212003", "030519888", "201114450"};

/* Text that may surround a CHI number. */
static const char *const around[] = {"%s",
                                     "CHI %s",
                                     "CHI:%s.",
                                     "The child (%s) was known to services.",
                                     "known as %s, aged 3",
                                     "%s 3 years old",
                                     "case 12 %s",
                                     "seen \xe2\x80\x9c%s\xe2\x80\x9d in the file",
                                     "No.\xc2\xa0%s",
                                     "\xe2\x80\x94%s\xe2\x80\x94",
                                     ("n\xc3\xa9"
                                      "e %s \xc3\xa0 Gu\xc3\xa9ret")};

Test(free_text, a_chi_number_in_a_sentence_is_found) {
    FOR_EACH (births) {
        char chi[11];
        if (!make_chi(births[i], 0, chi)) {
            continue;
        }
        for (size_t frame = 0; frame < sizeof around / sizeof around[0]; frame++) {
            char text[200] = "";
            const char *hole = strstr(around[frame], "%s");
            snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - around[frame]), around[frame], chi,
                     hole + 2);
            expect_kind(text, "a CHI number");
        }
    }
}

Test(free_text, a_chi_number_in_groups_is_found) {
    static const char *const separators[] = {" ", "-", ".", "/", " - ", "\xc2\xa0", "\xe2\x80\x93"};
    char chi[11];
    cr_assert(make_chi("150607421", 0, chi));
    FOR_EACH (separators) {
        char text[100];
        snprintf(text, sizeof text, "CHI %.6s%s%s of the child", chi, separators[i], chi + 6);
        expect_kind(text, "a CHI number");
    }
    char text[100];
    snprintf(text, sizeof text, "%.2s %.2s %.2s %s", chi, chi + 2, chi + 4, chi + 6);
    expect_kind(text, "a CHI number");
    snprintf(text, sizeof text, "%.2s-%.2s-%.2s-%s", chi, chi + 2, chi + 4, chi + 6);
    expect_kind(text, "a CHI number");
}

Test(free_text, a_number_with_a_wrong_check_digit_is_no_chi_number) {
    FOR_EACH (births) {
        for (int off = 1; off < 10; off++) {
            char chi[11];
            if (births[i][0] != '0' && make_chi(births[i], off, chi)) {
                expect_nothing(chi);
            }
        }
    }
}

Test(free_text, digits_without_a_day_of_birth_are_no_chi_number) {
    static const char *const nines[] = {"321299123", "311399123", "000199123",
                                        "990199123", "310099123", "451299123"};
    FOR_EACH (nines) {
        char digits[11];
        if (nines[i][0] != '0' && make_chi(nines[i], 0, digits)) {
            expect_nothing(digits);
        }
    }
}

Test(free_text, a_chi_number_inside_longer_digits_or_words_is_not_found) {
    char chi[11];
    char text[40];
    cr_assert(make_chi("150607421", 0, chi));
    snprintf(text, sizeof text, "%s1", chi);
    expect_nothing(text);
    snprintf(text, sizeof text, "9%s", chi);
    expect_nothing(text);
    snprintf(text, sizeof text, "ref%s", chi);
    expect_nothing(text);
    snprintf(text, sizeof text, "%sabc", chi);
    expect_nothing(text);
}

Test(free_text, an_email_address_is_found) {
    static const char *const texts[] = {"someone@example.org",
                                        "write to a.b+c@sub.example.co.uk today",
                                        "<x_y@example.scot>",
                                        "(a1@b-c.org)",
                                        "SOMEONE@EXAMPLE.ORG",
                                        "mailto:a@b.cd.",
                                        "jos\xc3\xa9@example.org",
                                        "a@ex\xc3\xa4mple.org",
                                        ("\xe2\x80\x9c"
                                         "a@b.org\xe2\x80\x9d")};
    FOR_EACH (texts) {
        expect_kind(texts[i], "an e-mail address");
    }
}

Test(free_text, an_at_sign_without_an_address_is_not_found) {
    static const char *const texts[] = {"@",       "met @ school", "@school",       "a@b",
                                        "a@",      "a @b.org",     "4@1.50 each",   "a@.org",
                                        "a@-.org", "reports@",     "see a@b, c.org"};
    FOR_EACH (texts) {
        expect_nothing(texts[i]);
    }
}

/* Numbers of the ranges that are reserved for drama (Ofcom). */
Test(free_text, a_telephone_number_is_found) {
    static const char *const texts[] = {"0141 496 0000",
                                        "01414960000",
                                        "0131-496-0123",
                                        "(0141) 496 0000",
                                        "(0131) 4960123",
                                        "0141.496.0000",
                                        "020 7946 0123",
                                        "07700 900123",
                                        "07700900123",
                                        "mobile 07700 900 123.",
                                        "+44 141 496 0000",
                                        "+441414960000",
                                        "+44 (0)141 496 0000",
                                        "+44 (0) 141 496 0000",
                                        "+44-7700-900123",
                                        "tel:+447700900123",
                                        "0044 141 496 0000",
                                        "00447700900123",
                                        "00 44 7700 900123",
                                        "01632 96012",
                                        "0300 123 4567",
                                        "0808 157 0123",
                                        "rang 0141 496 0000 twice, 3 days apart",
                                        "rang 0141 496 0000 2 times",
                                        "0141 496 0000/0141 496 0001",
                                        "0141 496 0000 or 0001",
                                        "on 03.05.2019 rang 0141 496 0000",
                                        "03.05.2019 0141 496 0000",
                                        "0141\xc2\xa0"
                                        "496\xc2\xa0"
                                        "0000",
                                        "0141\xe2\x80\x91"
                                        "496\xe2\x80\x91"
                                        "0000",
                                        ("\xe2\x80\x9c"
                                         "0141 496 0000\xe2\x80\x9d")};
    FOR_EACH (texts) {
        expect_kind(texts[i], "a telephone number");
    }
}

Test(free_text, other_numbers_are_not_found) {
    static const char *const texts[] = {"2019",
                                        "in 2018 and 2019",
                                        "2018/19",
                                        "2010/11 2011/12 2012/13",
                                        "2019-05-03",
                                        "on 03/05/2019",
                                        "03.05.2019",
                                        "3/5/19",
                                        "between 01/02/2019 and 03/04/2019",
                                        "01/02/2019 - 03/04/2019",
                                        "01/02/2019-03/04/2019",
                                        "03.05.2019 10:30",
                                        "03.05.2019 10.30",
                                        "01/02/2019 12 children were seen",
                                        "2012-05-03 10:30",
                                        "2011-05-03 - 2011-05-04",
                                        "2019-05-03T10:30:00Z",
                                        "2019-05-03T10:30:00.123456Z",
                                        "at 10:30 on 3 May 2019",
                                        "LR-2026-GLA-0042",
                                        "LR-2026-EDH-0141, LR-2026-GLA-4960",
                                        ("\xc2\xa3"
                                         "1,200.50"),
                                        ("\xc2\xa3"
                                         "12 500 000"),
                                        "GBP 0.75",
                                        "0.1234567890",
                                        "1234567890123456",
                                        "0195f3b2-7c1a-7d5e-8f00-0123456789ab",
                                        "a1234567-0141-4960-8000-0123456789ab",
                                        "S12000049",
                                        "S08000031 and S12000036",
                                        "LA-S12000049",
                                        "1 2 3 4 5 6 7 8 9 10",
                                        "0 1 2 3 4 5 6 7 8 9 10",
                                        "aged 0-3, 4-7, 8-11",
                                        "section 47 (2) (a)",
                                        "0141 496 00",
                                        "0141 496 000000",
                                        "0541 496 0000",
                                        "+1 212 555 0123",
                                        "case 0044 of 12 03 19",
                                        "1141 496 0000",
                                        "ref07700900123",
                                        "50 per cent of 12 children"};
    FOR_EACH (texts) {
        expect_nothing(texts[i]);
    }
}

Test(free_text, a_postcode_is_found) {
    static const char *const texts[] = {"G1 1AA",
                                        "EH1 1YZ",
                                        "KW1 4AB",
                                        "kw14ab",
                                        "g11aa",
                                        "Eh1 1yz",
                                        "SW1A 1AA",
                                        "SW1A1AA",
                                        "lives in G12 8QQ.",
                                        "(AB10 1AB)",
                                        "postcode:DD1 4HN",
                                        "EH1  1YZ",
                                        ("EH1\xc2\xa0"
                                         "1YZ"),
                                        ("\xe2\x80\x98"
                                         "EH1 1YZ\xe2\x80\x99"),
                                        "caf\xc3\xa9 G1 1AA caf\xc3\xa9",
                                        "G1 1ST",
                                        "W1A 1AA"};
    FOR_EACH (texts) {
        expect_kind(texts[i], "a postcode");
    }
}

Test(free_text, text_that_resembles_a_postcode_is_not_found) {
    static const char *const texts[] = {"G1",
                                        "EH1 1",
                                        "EH1 1Y",
                                        "EH1 1YZA",
                                        "GLA1 1AA",
                                        "EH1 AAA",
                                        "EH 1YZ",
                                        "EH1 1CZ",
                                        "EH1 1YO",
                                        "EH111 1YZ",
                                        "B1 2nd draft",
                                        "Annex A1 1st edition",
                                        "S4 4th floor",
                                        "M8 4pm",
                                        "xEH1 1YZ",
                                        ("\xc3\xa9"
                                         "G1 1AA"),
                                        "1 1AA",
                                        "stage 3 of 4",
                                        "P5 to P6",
                                        "EH1, 1YZ",
                                        "S12000049",
                                        "CPC-GLA",
                                        "H1N1",
                                        "B12 is given"};
    FOR_EACH (texts) {
        expect_nothing(texts[i]);
    }
}

Test(free_text, a_stated_birth_is_found) {
    static const char *const texts[] = {"born on 3 May 2019",
                                        "was born 3 May 2019",
                                        "Born on the 3rd of May",
                                        "born 3rd May",
                                        "born May 3, 2019",
                                        "born on 03/05/2019",
                                        "born 3.5.19",
                                        "born: 2019-05-03",
                                        "(born 21 Sept 2018)",
                                        "born on 3-May-2019",
                                        "DOB: 03/05/19",
                                        "DOB 3 May 2019",
                                        "dob 030519",
                                        "d.o.b. 03/05/19",
                                        "D.O.B.: 3/5/2019",
                                        "date of birth is 03.05.2019",
                                        "date of birth was 3 May",
                                        "Date of Birth: 3rd May 2019",
                                        "date of birth - 2019-05-03",
                                        "n\xc3\xa9"
                                        "e, \xe2\x80\x9c"
                                        "born on 3 May 2019\xe2\x80\x9d"};
    FOR_EACH (texts) {
        expect_kind(texts[i], "a date of birth");
    }
}

Test(free_text, words_about_birth_without_a_day_are_not_found) {
    static const char *const texts[] = {"born into poverty",
                                        "born in Glasgow",
                                        "born in 2019",
                                        "born 10 weeks early",
                                        "born 6 weeks premature",
                                        "born 3 decades ago",
                                        "born at 38 weeks",
                                        "stubborn 3 May 2019",
                                        "stubborn",
                                        "newborn 3 May",
                                        "the date of birth is not known",
                                        "DOB unknown",
                                        "dobson 12",
                                        "born",
                                        "DOB",
                                        "borne 03/05/2019",
                                        "3 May 2019",
                                        "an unborn baby, 12 weeks",
                                        "the meeting of 3 May 2019",
                                        "born may be"};
    FOR_EACH (texts) {
        expect_nothing(texts[i]);
    }
}

Test(free_text, ordinary_prose_has_no_findings) {
    static const char *const texts[] = {
        "",
        " ",
        "Two children aged 3 and 7 were seen at 14 visits between March 2018 and May 2019.",
        "The committee met 5 times; see LR-2026-GLA-0042, paragraphs 12-14 and 20.",
        ("T\xc3\xa0"
         "inig an sgioba c\xc3\xb2mhla 3 tursan."),
        "\xe5\xad\xa9\xe5\xad\x90 12 \xe6\xad\xb2",
        "The plan cost \xc2\xa3"
        "12,000 (2018/19) and \xc2\xa3"
        "14,500 (2019/20).",
        "Health visitor attended on 03/05/2019, 10/05/2019 and 17/05/2019."};
    FOR_EACH (texts) {
        expect_nothing(texts[i]);
    }
}

Test(free_text, an_identifier_at_the_end_of_a_long_text_is_found) {
    char text[4000];
    memset(text, 'a', sizeof text);
    for (size_t i = 5; i < sizeof text; i += 6) {
        text[i] = ' ';
    }
    static const char last[] = " G1 1AA";
    memcpy(text + sizeof text - sizeof last, last, sizeof last);
    expect_kind(text, "a postcode");
}

/* --- identifiers --- */

static void expect_identifier(const char *text, const char *kind) {
    const char *found = free_text_scan_identifier(text);
    cr_expect((found == NULL) == (kind == NULL) && (kind == NULL || strcmp(found, kind) == 0),
              "%s in: %s", found == NULL ? "nothing" : found, text);
}

/* Replaces %s with the number. */
static void expect_in_form(const char *form, const char *chi, const char *kind) {
    char text[64];
    const char *hole = strstr(form, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - form), form, chi, hole + 2);
    expect_identifier(text, kind);
}

Test(free_text, a_separate_chi_number_in_an_identifier_is_found) {
    static const char *const forms[] = {"%s",       "%s-1",       "ref_%s",
                                        "ref-%s/2", "2026/01/%s", "child:%s",
                                        "_%s_",     "A.%s",       "https://e.org/c?id=%s"};
    char chi[11];
    cr_assert(make_chi("150607421", 0, chi));
    FOR_EACH (forms) {
        expect_in_form(forms[i], chi, "a CHI number");
    }
}

Test(free_text, a_chi_number_in_groups_in_an_identifier_is_found) {
    char chi[11];
    char text[64];
    cr_assert(make_chi("150607421", 0, chi));
    snprintf(text, sizeof text, "%.6s-%s", chi, chi + 6);
    expect_identifier(text, "a CHI number");
    snprintf(text, sizeof text, "x/%.2s.%.2s.%.2s.%s", chi, chi + 2, chi + 4, chi + 6);
    expect_identifier(text, "a CHI number");
}

Test(free_text, ten_other_digits_in_an_identifier_are_not_found) {
    char chi[11];
    cr_assert(make_chi("150607421", 1, chi));
    expect_identifier(chi, NULL); /* wrong check digit */
    static const char *const no_days[] = {"310212345", "300212345", "320112345",
                                          "011312345", "000112345", "290213003"};
    FOR_EACH (no_days) {
        if (make_chi(no_days[i], 0, chi)) {
            expect_identifier(chi, NULL);
        }
    }
}

Test(free_text, a_chi_number_inside_a_longer_word_of_an_identifier_is_not_found) {
    static const char *const forms[] = {"A%s", "%sB", "7%s", "%s8", "f%se-4d0b"};
    char chi[11];
    cr_assert(make_chi("150607421", 0, chi));
    FOR_EACH (forms) {
        expect_in_form(forms[i], chi, NULL);
    }
}

Test(free_text, an_e_mail_address_in_an_identifier_is_found) {
    expect_identifier("https://example.org/?to=a.person@example.org", "an e-mail address");
    expect_identifier("a@b", NULL);
}

Test(free_text, an_ordinary_identifier_has_no_findings) {
    static const char *const texts[] = {"",
                                        "2026-001",
                                        "2026/004711",
                                        "council-casework",
                                        "C-1",
                                        "01414960000",
                                        "EH99-1SP",
                                        "2026-11-30-01",
                                        "20261130-101500",
                                        "1764515648",
                                        "LR-2026-GLA-0042",
                                        "4f0c6c1e-3a57-4d0b-9f0e-6a1f2c7d8b90"};
    FOR_EACH (texts) {
        expect_identifier(texts[i], NULL);
    }
}
