#include "image.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "host.hpp"
#include "problem.hpp"

namespace f2hdr::ofx {

RectI intersection(const RectI& a, const RectI& b) {
    return {std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2)};
}

std::optional<Image> Image::fetch(Handle clip, Time time, const std::string& what) {
    Handle handle = nullptr;
    if (suites().effects->get_image(clip, time, nullptr, &handle) != status_ok || !handle) return std::nullopt;
    Image image(handle);
    image.read(what);
    return image;
}

void Image::read(const std::string& what) {
    const Properties properties(handle_);
    const std::string depth = properties.text("OfxImageEffectPropPixelDepth").value_or("none");
    const std::string components = properties.text("OfxImageEffectPropComponents").value_or("none");
    const bool is_rgba = components == "OfxImageComponentRGBA";
    if (depth != "OfxBitDepthFloat" || (!is_rgba && components != "OfxImageComponentRGB")) {
        throw Problem("format", "The host delivers " + what + " as " + depth + " " + components +
                                    ". F2HDR needs float RGB or RGBA: set the project to 32-bit float.",
                      status_image_format);
    }
    const std::string field = properties.text("OfxImagePropField").value_or("OfxFieldNone");
    if (field == "OfxFieldLower" || field == "OfxFieldUpper") {
        throw Problem("fields", "The host delivers " + what + " as a single field. F2HDR needs progressive frames.");
    }
    const auto found = properties.rectangle("OfxImagePropBounds");
    data_ = static_cast<char*>(properties.pointer("OfxImagePropData"));
    bounds = found.value_or(RectI{0, 0, 0, 0});
    channels = is_rgba ? 4 : 3;
    row_bytes_ = properties.integer("OfxImagePropRowBytes").value_or(0);
    if (!data_ || is_empty(bounds) || std::abs(row_bytes_) < static_cast<std::ptrdiff_t>(width_of(bounds)) * channels * 4) {
        throw Problem("image", "The host delivers " + what + " without pixels.");
    }
    whole = properties.rectangle("OfxImagePropRegionOfDefinition").value_or(RectI{0, 0, 0, 0});
    is_premultiplied =
        properties.text("OfxImageEffectPropPreMultiplication").value_or("") == "OfxImageAlphaPremultiplied";
    scale = properties.real("OfxImageEffectPropRenderScale").value_or(1);
    identifier = properties.text("OfxImagePropUniqueIdentifier").value_or("");
}

Image::Image(Image&& other) noexcept { *this = std::move(other); }

Image& Image::operator=(Image&& other) noexcept {
    std::swap(bounds, other.bounds);
    std::swap(whole, other.whole);
    std::swap(channels, other.channels);
    std::swap(is_premultiplied, other.is_premultiplied);
    std::swap(scale, other.scale);
    std::swap(identifier, other.identifier);
    std::swap(handle_, other.handle_);
    std::swap(data_, other.data_);
    std::swap(row_bytes_, other.row_bytes_);
    return *this;
}

Image::~Image() {
    if (handle_) suites().effects->release_image(handle_);
}

bool same_pixels(const Image& a, const Image& b) {
    if (!same(a.bounds, b.bounds) || a.channels != b.channels) return false;
    const auto used = static_cast<std::size_t>(width_of(a.bounds)) * static_cast<std::size_t>(a.channels) * 4;
    for (int y = a.bounds.y1; y < a.bounds.y2; ++y) {
        if (std::memcmp(a.row(y), b.row(y), used) != 0) return false;
    }
    return true;
}

}  // namespace f2hdr::ofx
