/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in blocked words. Words that stand inside harmless ones (as in "glasses", "therapist"
 * or "saltwater") are left out, since a literal with one of them would block its whole pattern. The
 * second part spells words with the digits and letters that Crockford's set leaves of them.
 */
#include "codes_words.h"

const char *const codes_words_builtin[] = {
    "asshole", "bastard", "bitch",  "blowjob", "bollocks", "boobs",  "cunt",   "dildo",  "faggot",
    "fuck",    "gestapo", "hitler", "jizz",    "kike",     "kkk",    "nazi",   "nigga",  "nigger",
    "paedo",   "penis",   "piss",   "porn",    "pussy",    "retard", "shit",   "slut",   "tits",
    "tranny",  "vagina",  "wank",   "whore",

    "455h01e", "a55h01e", "b1tch",  "b00b",    "c0ck",     "cvnt",   "d11d0",  "d1ck",   "f4gg0t",
    "fagg0t",  "fck",     "fvck",   "h1t1er",  "h1tler",   "j1zz",   "k1ke",   "n1gga",  "n1gger",
    "n1gg3r",  "n4z1",    "naz1",   "p0rn",    "p1ss",     "pen1s",  "pvssy",  "rap1st", "s1ut",
    "s1vt",    "sh1t",    "5h1t",   "5hit",    "t1ts",     "t1t5",   "vag1na", "wh0re",  "wh0r3",
};

const size_t codes_words_builtin_count = ARRAY_LEN(codes_words_builtin);
