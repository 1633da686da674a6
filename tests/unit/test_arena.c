/* Tests of the arena: what it hands out is aligned, zeroed, apart and good until it is reset. */
#include "service/arena.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_zero(const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

Test(arena, given_odd_sizes_when_memory_is_taken_then_every_piece_is_aligned_for_any_type) {
    arena *memory = arena_new();
    for (size_t size = 0; size < 200; size++) {
        void *piece = arena_alloc(memory, size);
        cr_expect_eq((uintptr_t)piece % _Alignof(max_align_t), 0, "size %zu", size);
    }
    arena_free(memory);
}

Test(arena, given_a_piece_larger_than_a_block_when_it_is_taken_then_every_byte_can_be_written) {
    enum { LARGE = 1000000 };
    arena *memory = arena_new();
    unsigned char *large = arena_alloc(memory, LARGE);
    cr_assert(is_zero(large, LARGE));
    memset(large, 0x5a, LARGE);
    cr_assert_eq(large[LARGE - 1], 0x5a);
    arena_free(memory);
}

Test(arena, given_many_pieces_when_all_are_filled_then_none_overwrites_another) {
    enum { PIECES = 2000, SIZE = 33 };
    arena *memory = arena_new();
    unsigned char *pieces[PIECES];
    for (int i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(memory, SIZE);
        memset(pieces[i], i % 251, SIZE);
    }
    for (int i = 0; i < PIECES; i++) {
        cr_assert_eq(pieces[i][0], i % 251, "piece %d", i);
        cr_assert_eq(pieces[i][SIZE - 1], i % 251, "piece %d", i);
    }
    arena_free(memory);
}

Test(arena, given_a_used_arena_when_it_is_reset_then_new_memory_is_zero_again) {
    arena *memory = arena_new();
    memset(arena_alloc(memory, 5000), 0xff, 5000);
    arena_reset(memory);
    cr_assert(is_zero(arena_alloc(memory, 5000), 5000));
    arena_free(memory);
}

Test(arena, given_a_grown_arena_when_it_is_reset_then_it_starts_again_in_its_first_block) {
    arena *memory = arena_new();
    void *first = arena_alloc(memory, 16);
    arena_alloc(memory, 100000);
    arena_alloc(memory, 300000);
    arena_reset(memory);
    cr_assert_eq(arena_alloc(memory, 16), first);
    arena_free(memory);
}

Test(arena, given_text_without_an_end_when_part_is_copied_then_the_copy_ends_there) {
    arena *memory = arena_new();
    const char text[3] = {'a', 'b', 'c'};
    cr_assert_str_eq(arena_strndup(memory, text, 2), "ab");
    arena_free(memory);
}

Test(arena, given_no_string_when_it_is_copied_then_there_is_no_copy) {
    arena *memory = arena_new();
    cr_assert_null(arena_strdup(memory, NULL));
    arena_free(memory);
}

Test(arena, given_a_format_with_a_long_result_when_printed_then_nothing_is_cut) {
    arena *memory = arena_new();
    const char *text = arena_printf(memory, "%0*d|%s", 20000, 7, "end");
    cr_assert_eq(strlen(text), 20004);
    cr_assert_str_eq(text + 19999, "7|end");
    arena_free(memory);
}

Test(arena, given_no_arena_when_it_is_freed_then_nothing_happens) {
    arena_free(NULL);
}
