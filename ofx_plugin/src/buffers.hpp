// The files that pass pixels to and from the backend, in the layout of f2hdr_backend/server/buffers.py.
//
// They are mapped into this process and used again for every frame. A set of three frames and a result is used by one
// render at a time (buffer_pool.hpp). A frame that is already in it keeps its stamp, so that the backend, which keeps
// frames by their stamps, does not read it again: at a playback each frame crosses once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image.hpp"
#include "platform.hpp"
#include "window.hpp"

namespace f2hdr::ofx {

// The three files of one window, and its result.
class BufferSet {
public:
    explicit BufferSet(std::string stem);
    ~BufferSet();
    BufferSet(const BufferSet&) = delete;
    BufferSet& operator=(const BufferSet&) = delete;

    // Write the window's frames within the bounds of the reference, `center`; where a neighbor has no
    // pixels it gets those of the reference. Returns the paths of previous, reference and next. Throws Problem.
    std::vector<std::string> write(const Window& window, const Source& center);

    // The path at which the backend writes the result of `center`. Throws Problem.
    std::string prepare_result(const Source& center);

    // Copy the result into `output` within `window`, with the alpha of `center`. Pixels of `window` outside the bounds of
    // `center` become 0. `center` is that of the last `write`. Throws Problem if the file is not the result of `center`.
    void read(const Source& center, const RectI& window, Image& output);

    // Abandon the result: the backend may write it at any later time.
    void abandon();

private:
    struct Slot {
        std::string path;
        platform::MappedFile memory;
        bool is_filled = false;
        bool is_opaque = false;  // alpha is 1 in the whole frame
        int frame = 0;
        std::string identifier;  // the host's name for the image that it contains; empty if there is none
        std::vector<float> codes;
    };

    // A slot that gets the pixels of a frame.
    struct Filling {
        Slot* slot;
        const Source* source;
        bool is_known;  // the slot probably contains these pixels
    };

    Slot& slot_of(const Source& source, const RectI& bounds, const std::vector<Slot*>& taken);
    void fill(const std::vector<Filling>& todo, const Source& center);
    void sweep();

    std::string stem_;
    std::vector<Slot> slots_;
    bool is_opaque_ = false;  // of the reference
    platform::MappedFile result_;
    std::string result_path_;
    std::vector<std::string> abandoned_;
    std::uint64_t results_ = 0;
};

}  // namespace f2hdr::ofx
