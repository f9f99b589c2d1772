# METADATA
# title: Pinned
# description: >
#   Every image of a template names its digest, so that all Pods made from it run the same. Images
#   of Pods are pinned by the webhook itself, which this rule leaves alone.
# custom:
#   code: pinned.tag
#   needs: presence
#   parameters:
#     type: object
#     additionalProperties: false
package countersign.pinned

deny contains violation if {
	not is_pod
	some image in input.images
	not pinned(image)
	violation := {
		"code": "pinned.tag",
		"image": image.path,
		"msg": sprintf("%s names no digest; write %s", [image.given, image.reference]),
	}
}

is_pod if {
	input.request.resource.group == ""
	input.request.resource.resource == "pods"
}

# The tag is null where a digest was given.
pinned(image) if image.tag == null
