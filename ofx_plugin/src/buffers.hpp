// The files that pass pixels to and from the backend, in the layout of f2hdr_backend/server/buffers.py.
//
// They are mapped into this process and used again for every frame. A set of three frames and a result is used by one
// render at a time (buffer_pool.hpp). There are two kinds. Sealed files without a path are passed to the backend over its
// socket; it maps them too, and uses the pixels in place. Files with a path are for systems without the former: the backend
// reads them and keeps the frames by their stamps. A frame that is already in its file is not written again, so that at a
// playback each frame crosses once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image.hpp"
#include "parallel.hpp"
#include "platform.hpp"
#include "window.hpp"

namespace f2hdr::ofx {

// The three files of one window, and its result.
class BufferSet {
public:
    // `stem` begins the paths of its files; empty for files that are passed.
    explicit BufferSet(std::string stem);
    ~BufferSet();
    BufferSet(const BufferSet&) = delete;
    BufferSet& operator=(const BufferSet&) = delete;

    // Write the window's frames within the bounds of the reference, `center`; where a neighbor has no
    // pixels it gets those of the reference. Returns the names of previous, reference and next for a request: their paths,
    // or "memory:" and their places among the passed files. Throws Problem.
    std::vector<std::string> write(const Window& window, const Source& center, Workers& workers);

    // The name, as above, of the file into which the backend writes the result of `center`; after `write`. Throws Problem.
    std::string prepare_result(const Source& center);

    bool passes_files() const { return stem_.empty(); }
    // The files that are passed with the request; after `prepare_result`. Empty if they have paths.
    const std::vector<std::intptr_t>& passed() const { return passed_; }

    // Copy the result into `output` within `window`, with the alpha of `center`. Pixels of `window` outside the bounds of
    // `center` become 0. `center` is that of the last `write`. Throws Problem if the file is not the result of `center`.
    void read(const Source& center, const RectI& window, Image& output, Workers& workers);

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
    void fill(const std::vector<Filling>& todo, const Source& center, Workers& workers);
    void sweep();
    platform::MappedFile created(const std::string& path, const RectI& bounds) const;
    std::string name_of(const platform::MappedFile& memory, const std::string& path);

    std::string stem_;
    std::vector<Slot> slots_;
    bool is_opaque_ = false;  // of the reference
    platform::MappedFile result_;
    std::string result_path_;
    std::vector<std::intptr_t> passed_;
    std::vector<std::string> abandoned_;
    std::uint64_t results_ = 0;
};

}  // namespace f2hdr::ofx
