// The buffer sets of this process. Files with paths are in one folder in memory that is removed with the process.
#pragma once

#include <memory>

#include "buffers.hpp"

namespace f2hdr::ofx {

class BufferPool {
public:
    class Loan {
    public:
        explicit Loan(std::unique_ptr<BufferSet> set) : set_(std::move(set)) {}
        ~Loan();
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        BufferSet* operator->() const { return set_.get(); }

    private:
        std::unique_ptr<BufferSet> set_;
    };

    // A set that no other render uses, most recently used first: of files that are passed to the backend, or of files with
    // paths. Throws Problem if their folder cannot be created.
    static Loan lend(bool passes_files);
    // Remove the files of all unused sets; with `at_end` also the folder.
    static void purge(bool at_end = false);
};

}  // namespace f2hdr::ofx
