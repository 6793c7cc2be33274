// The files that pass pixels to and from the backend, in the layout of f2hdr_backend/server/buffers.py.
//
// A set of three is used by one render at a time (buffer_pool.hpp). A frame that is already in it is not written again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image.hpp"
#include "platform.hpp"
#include "window.hpp"

namespace f2hdr::ofx {

// The three files of one window, and their results.
class BufferSet {
public:
    explicit BufferSet(std::string stem);
    ~BufferSet();
    BufferSet(const BufferSet&) = delete;
    BufferSet& operator=(const BufferSet&) = delete;

    // Write the window's frames within the bounds of the reference, `center`; where a neighbor has no
    // pixels it gets those of the reference. Returns the paths of previous, reference and next. Throws Problem.
    std::vector<std::string> write(const Window& window, const Source& center);

    // A unique path for a result.
    std::string new_result();

    // Copy a result into `output` within `window`, with the alpha of `center`, and remove its file. Pixels of `window`
    // outside the bounds of `center` become 0. Throws Problem if the file is not the result of `center`.
    void read(const std::string& path, const Source& center, const RectI& window, Image& output);

    // Abandon a result: its file is removed once the backend has written it.
    void abandon(const std::string& path);

    std::uint64_t bytes_written() const { return bytes_written_; }

private:
    struct Slot {
        std::string path;
        platform::File file;
        std::string key;  // identifies its frame; empty if the frame has no identifier
        std::vector<float> codes;
    };

    // A slot that gets the pixels of a frame.
    struct Filling {
        Slot* slot;
        const Source* source;
        std::string key;
    };

    Slot& slot_of(const Source& source, const std::string& key, const std::vector<Slot*>& taken);
    void fill(const std::vector<Filling>& todo, const Source& center);
    void sweep();

    std::string stem_;
    std::vector<Slot> slots_;
    std::vector<std::string> abandoned_;
    std::uint64_t results_ = 0;
    std::uint64_t bytes_written_ = 0;
};

}  // namespace f2hdr::ofx
