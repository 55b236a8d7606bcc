"""Commands that a person calls beside DVC."""

from mixup.study.interrupts import end_at_once

end_at_once()
